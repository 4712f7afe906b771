//! Who is told about the orders of which issuer?

use std::{collections::HashMap, fmt};

use tower::{BoxError, Service, ServiceExt as _, util::BoxCloneSyncService};

use super::{Keycloak, Notice, Webhook};
use crate::log::SelectorClass;

/// The services that tell issuers, each for one issuer.
///
/// Issuers are compared **byte for byte**. Those without a service are not told.
///
/// ```
/// use tower::{BoxError, service_fn};
/// use tower_revocation::{log::SelectorClass, notify::{Notice, Recipients}};
///
/// // Ends the refresh tokens in a table of your own.
/// let own = service_fn(async |notice: Notice| Ok::<_, BoxError>(drop(notice)));
/// let recipients = Recipients::new()
///     .service("https://id.example.com", &[SelectorClass::Subject], own);
/// ```
#[derive(Clone, Default)]
pub struct Recipients(HashMap<String, Recipient>);

/// The service that tells one issuer.
#[derive(Clone)]
pub(super) struct Recipient {
    classes: Vec<SelectorClass>,
    pub(super) service: BoxCloneSyncService<Notice, (), BoxError>,
}

impl Recipients {
    /// Tells nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells this issuer by Keycloak. Replaces an earlier service for it.
    #[must_use]
    pub fn keycloak(self, issuer: impl Into<String>, keycloak: Keycloak) -> Self {
        self.service(issuer, Keycloak::CLASSES, keycloak)
    }

    /// Tells this issuer by a webhook. Replaces an earlier service for it.
    #[must_use]
    pub fn webhook(self, issuer: impl Into<String>, webhook: Webhook) -> Self {
        self.service(issuer, Webhook::CLASSES, webhook)
    }

    /// Tells this issuer about orders of these classes by a service of your own. Replaces an earlier
    /// service for it.
    ///
    /// The service returns once the refresh tokens are durably ended. A
    /// [`NotifyError`](super::NotifyError) in the source chain of its error says when to try again. An
    /// attempt that takes longer than 50 s has failed. A notice can come more than once.
    #[must_use]
    pub fn service<S>(
        mut self,
        issuer: impl Into<String>,
        classes: &[SelectorClass],
        service: S,
    ) -> Self
    where
        S: Service<Notice, Response = ()> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        let recipient = Recipient {
            classes: classes.to_owned(),
            service: BoxCloneSyncService::new(service.map_err(Into::into)),
        };
        self.0.insert(issuer.into(), recipient);
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of(&self, issuer: &str) -> Option<&Recipient> {
        self.0.get(issuer)
    }

    /// Whether this issuer can be told about orders of this class.
    pub(super) fn can_tell(&self, issuer: &str, class: SelectorClass) -> bool {
        let recipient = self.of(issuer);
        recipient.is_some_and(|recipient| recipient.classes.contains(&class))
    }
}

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
