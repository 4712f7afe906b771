//! What a layer in front of the endpoint can ask of a backend of this crate, and learn from it.

use std::sync::{Arc, OnceLock};

use super::{Cascade, recorder::Recorder};
#[cfg(doc)]
use crate::BackendExtensions;
use crate::{
    introspect::{Introspection, TokenKind},
    token::{Outcome, RevocationRequest},
};

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
    access_token: Option<Cascade>,
    refresh_token: Option<Cascade>,
    by_possession: bool,
    tenant: Option<Arc<str>>,
    subject: Option<Arc<str>>,
    kind: Option<TokenKind>,
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
        self.access_token = Some(cascade);
        self.refresh_token = Some(cascade);
        self
    }

    /// Sets what is revoked with a refresh token. Defaults to the cascade of the backend.
    #[must_use]
    pub fn refresh_token_cascade(mut self, cascade: Cascade) -> Self {
        self.refresh_token = Some(cascade);
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

    /// Revokes only a token of this subject. Defaults to every subject. A token of another subject is
    /// [`Outcome::IssuedToAnother`](crate::Outcome::IssuedToAnother).
    #[must_use]
    pub fn subject(mut self, subject: impl Into<Arc<str>>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Revokes only tokens of this kind. Defaults to every kind. A token of the other kind is
    /// [`Outcome::Unsupported`](crate::Outcome::Unsupported).
    #[must_use]
    pub fn only(mut self, kind: TokenKind) -> Self {
        self.kind = Some(kind);
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
        let settings = &mut recorder.settings;
        settings.access_token = self.access_token.unwrap_or(settings.access_token);
        settings.refresh_token = self.refresh_token.unwrap_or(settings.refresh_token);
    }

    pub(super) fn found(&self, token: &Introspection) {
        let _ = self.introspection.set(token.clone());
    }

    /// Returns the outcome for a token that these options exclude, whose owner is the client or not.
    pub(super) fn exclude(&self, token: &Introspection, is_owner: bool) -> Option<Outcome> {
        let is_other = |wanted: &Option<Arc<str>>, known: &Option<String>| {
            let wanted = wanted.as_deref();
            wanted.is_some_and(|wanted| known.as_deref() != Some(wanted))
        };
        if is_other(&self.tenant, &token.tenant) {
            return Some(Outcome::NotFound);
        }
        if !(is_owner || self.by_possession) || is_other(&self.subject, &token.sub) {
            return Some(Outcome::IssuedToAnother);
        }
        let is_other_kind = self.kind.is_some_and(|kind| kind != token.kind);
        is_other_kind.then_some(Outcome::Unsupported)
    }
}
