//! What the layers in front of the endpoint ask in one request.

#[cfg(feature = "profiles")]
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};

use super::RevocationOptions;
#[cfg(feature = "profiles")]
use crate::revoke::ClientOrder;
use crate::{
    error::Error,
    introspect::Introspection,
    refusal::Refusal,
    revoke::RevocationReport,
    token::{IsUnproven, Outcome, RevocationRequest},
};

/// Options that are found out after the client has been authenticated. Every backend of the request
/// gets the same result.
#[cfg(feature = "profiles")]
#[derive(Clone)]
pub(crate) struct Condition(Shared<BoxFuture<'static, Result<RevocationOptions, Error>>>);

#[cfg(feature = "profiles")]
impl Condition {
    pub(crate) fn new(
        options: impl Future<Output = Result<RevocationOptions, Error>> + Send + 'static,
    ) -> Self {
        Self(options.boxed().shared())
    }
}

/// What one request asks of a backend.
#[derive(Default)]
pub(in crate::revoke) struct Asked {
    pub(in crate::revoke) options: RevocationOptions,
    /// Whether the request has shown no proof of its client.
    pub(in crate::revoke) is_unproven: bool,
    report: Option<RevocationReport>,
    #[cfg(feature = "profiles")]
    pub(in crate::revoke) order: Option<ClientOrder>,
    #[cfg(feature = "profiles")]
    condition: Option<Condition>,
}

/// Reads the extensions of a request. Most requests have none.
pub(in crate::revoke) fn of<C>(request: &RevocationRequest<C>) -> Asked {
    let extensions = &request.extensions;
    if extensions.is_empty() {
        return Asked::default();
    }
    Asked {
        options: extensions.get().cloned().unwrap_or_default(),
        is_unproven: extensions.get::<IsUnproven>().is_some(),
        report: extensions.get().cloned(),
        #[cfg(feature = "profiles")]
        order: extensions.get().cloned(),
        #[cfg(feature = "profiles")]
        condition: extensions.get().cloned(),
    }
}

impl Asked {
    /// Checks the client.
    ///
    /// # Errors
    ///
    /// `invalid_client` if the options refuse public clients and it is one.
    pub(in crate::revoke) fn check_client(&self, is_public: bool) -> Result<(), Error> {
        if self.options.refuses_public_clients() && is_public {
            return Err(Error::refused(Refusal::MethodNotOffered));
        }
        Ok(())
    }

    /// Completes the options, now that the client is authenticated.
    ///
    /// # Errors
    ///
    /// The error of the condition, if there is one and it fails.
    #[cfg(feature = "profiles")]
    pub(in crate::revoke) async fn complete(mut self) -> Result<Self, Error> {
        if let Some(Condition(options)) = self.condition.take() {
            self.options = self.options.and(options.await?);
        }
        Ok(self)
    }

    /// Tells the layers the outcome, and that the options were applied.
    pub(in crate::revoke) fn report(&self, outcome: Outcome, token: Option<&Introspection>) {
        if let Some(report) = &self.report {
            report.end(outcome, token);
        }
    }
}
