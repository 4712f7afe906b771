//! What a layer in front of the endpoint can ask of a backend of this crate, and learn from it.

use std::sync::{Arc, OnceLock};

use super::{Cascade, recorder::Recorder};
#[cfg(doc)]
use crate::BackendExtensions;
use crate::{introspect::Introspection, token::RevocationRequest};

/// Options of one revocation, for [`RecordRevocation`](super::RecordRevocation) and
/// `ForwardRevocation`. By default they change nothing.
///
/// A layer in front of the endpoint puts them into the [`BackendExtensions`] of a request, such as a
/// profile for the clients of another system.
///
/// ```
/// use tower::ServiceExt;
/// use tower_revocation::{
///     Outcome, RevocationRequest, Secret,
///     introspect::{Introspection, TokenKind},
///     log::{MemoryLog, Selector},
///     revoke::{Cascade, RecordRevocation, RevocationOptions},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower::BoxError> {
/// let introspect = tower::service_fn(async |_: Secret| {
///     let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
///     token.token = Some(Selector::token("https://as.example.com", "1"));
///     token.sub = Some("alice".into());
///     Ok::<_, tower::BoxError>(Some(token))
/// });
/// let backend = RecordRevocation::new(introspect, MemoryLog::new());
///
/// let options = RevocationOptions::new().cascade(Cascade::SubjectAndClient);
/// let mut request = RevocationRequest::new("s6BhdRkqt3", Secret::new("45ghiukldjahdnhzdauz"));
/// request.extensions.insert(options.clone());
/// assert_eq!(backend.oneshot(request).await?, Outcome::Revoked);
/// assert_eq!(options.introspection().and_then(|token| token.sub.as_deref()), Some("alice"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct RevocationOptions {
    cascade: Option<Cascade>,
    by_possession: bool,
    tenant: Option<Arc<str>>,
    introspection: Arc<OnceLock<Introspection>>,
}

impl RevocationOptions {
    /// Makes options that change nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what is revoked with the token, whatever its kind. Defaults to the cascades of the
    /// backend.
    #[must_use]
    pub fn cascade(mut self, cascade: Cascade) -> Self {
        self.cascade = Some(cascade);
        self
    }

    /// Revokes the token of any client: whoever has a token may revoke it. Defaults to `false`: the
    /// token must be the client's own (RFC 7009 §2.1).
    ///
    /// `ForwardRevocation` ignores it, because the other server compares the owner.
    #[must_use]
    pub fn by_possession(mut self, by_possession: bool) -> Self {
        self.by_possession = by_possession;
        self
    }

    /// Revokes only a token of this [tenant](crate::introspect::Claims::tenant). Defaults to every
    /// tenant. A token of another tenant is [`Outcome::NotFound`](crate::Outcome::NotFound): it is
    /// certainly no token of this one.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<Arc<str>>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Returns what the backend found out about the token. `None` before the backend has asked, and
    /// for a token that it does not recognise. All clones of the options share it.
    ///
    /// **It is set for the token of any client.** Tell the peer nothing of it unless the outcome is
    /// [`Outcome::Revoked`](crate::Outcome::Revoked).
    #[must_use]
    pub fn introspection(&self) -> Option<&Introspection> {
        self.introspection.get()
    }

    pub(super) fn of<C>(request: &RevocationRequest<C>) -> Option<Self> {
        request.extensions.get().cloned()
    }

    /// Replaces the cascades of a backend.
    pub(super) fn apply<L>(&self, recorder: &mut Recorder<L>) {
        if let Some(cascade) = self.cascade {
            recorder.settings.refresh_token = cascade;
            recorder.settings.access_token = cascade;
        }
    }

    pub(super) fn found(&self, token: &Introspection) {
        let _ = self.introspection.set(token.clone());
    }

    /// Whether the owner of the token does not matter.
    pub(super) fn is_by_possession(&self) -> bool {
        self.by_possession
    }

    pub(super) fn excludes(&self, token: &Introspection) -> bool {
        let tenant = self.tenant.as_deref();
        tenant.is_some_and(|tenant| token.tenant.as_deref() != Some(tenant))
    }
}
