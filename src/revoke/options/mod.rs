//! What a layer in front of the endpoint can ask of a backend of this crate.

mod asked;
mod only;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{Cascade, recorder::Recorder};
#[cfg(doc)]
use crate::BackendExtensions;
use crate::{
    introspect::{Claims, Introspection, TokenKind},
    token::Outcome,
};
#[cfg(feature = "profiles")]
pub(crate) use asked::Condition;
pub(super) use asked::{Asked, of};
use only::Only;

/// Options of one revocation, for [`RecordRevocation`](super::RecordRevocation) and
/// `ForwardRevocation`. By default they change nothing.
///
/// A layer in front of the endpoint puts them into the [`BackendExtensions`] of a request, such as a
/// profile for the clients of another system. **A backend of another type does not see them.** A layer
/// that depends on them also puts a [`RevocationReport`](super::RevocationReport) there, and checks it.
///
/// ```
/// use tower::ServiceExt;
/// use tower_revocation::{
///     Outcome, RevocationRequest, Secret,
///     introspect::{Introspection, TokenKind},
///     log::{MemoryLog, Selector},
///     revoke::{Cascade, RecordRevocation, RevocationOptions, RevocationReport},
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
/// let report = RevocationReport::new();
/// let mut request = RevocationRequest::new("s6BhdRkqt3", Secret::new("45ghiukldjahdnhzdauz"));
/// request.extensions.insert(RevocationOptions::new().cascade(Cascade::SubjectAndClient));
/// request.extensions.insert(report.clone());
/// assert_eq!(backend.oneshot(request).await?, Outcome::Revoked);
/// assert!(report.confirms(Outcome::Revoked));
/// assert_eq!(report.revoked().and_then(|token| token.sub.clone()).as_deref(), Some("alice"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevocationOptions {
    access_token: Option<Cascade>,
    refresh_token: Option<Cascade>,
    public_client: Option<Cascade>,
    refuses_public_clients: bool,
    by_possession: bool,
    tenant: Only<Arc<str>>,
    subject: Only<Arc<str>>,
    kind: Only<TokenKind>,
    below: Vec<Introspection>,
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

    /// Sets what is revoked for a client that has only named itself, whatever the kind of the token.
    /// Defaults to the same as for other clients.
    ///
    /// Such a client has no secret, assertion or certificate. Everybody knows its identifier, so whoever
    /// has one of its tokens can send the request.
    #[must_use]
    pub fn public_client_cascade(mut self, cascade: Cascade) -> Self {
        self.public_client = Some(cascade);
        self
    }

    /// Refuses clients that have only named themselves, as if their authentication had failed. Defaults
    /// to `false`.
    #[must_use]
    pub fn refuse_public_clients(mut self, refuses: bool) -> Self {
        self.refuses_public_clients = refuses;
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

    /// Revokes only a token of this [tenant](Claims::tenant). Defaults to every tenant. A token of
    /// another tenant is [`Outcome::NotFound`](crate::Outcome::NotFound): it is certainly no token of
    /// this one. A token without a tenant is [`Outcome::Unsupported`](crate::Outcome::Unsupported):
    /// nobody knows whose it is.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<Arc<str>>) -> Self {
        self.tenant = Only::This(tenant.into());
        self
    }

    /// Revokes only a token of this subject. Defaults to every subject. A token of another subject is
    /// [`Outcome::IssuedToAnother`](crate::Outcome::IssuedToAnother).
    #[must_use]
    pub fn subject(mut self, subject: impl Into<Arc<str>>) -> Self {
        self.subject = Only::This(subject.into());
        self
    }

    /// Revokes only tokens of this kind. Defaults to every kind. A token of the other kind is
    /// [`Outcome::Unsupported`](crate::Outcome::Unsupported).
    #[must_use]
    pub fn only(mut self, kind: TokenKind) -> Self {
        self.kind = Only::This(kind);
        self
    }

    /// Revokes only this token, or one that [descends](Claims::ancestors) from it. Defaults to every
    /// token. Another one is [`Outcome::IssuedToAnother`](crate::Outcome::IssuedToAnother).
    #[must_use]
    pub fn at_or_below(mut self, token: Introspection) -> Self {
        self.below.push(token);
        self
    }

    /// Combines the options of two layers. Each restriction applies, and of two cascades the one that
    /// revokes less. The token of any client can be revoked if `inner` says so.
    ///
    /// ```
    /// use tower_revocation::revoke::{Cascade, RevocationOptions};
    ///
    /// let outer = RevocationOptions::new().tenant("north").cascade(Cascade::Token);
    /// let inner = RevocationOptions::new().cascade(Cascade::Grant);
    /// assert_eq!(outer.clone().and(inner), outer);
    /// ```
    #[must_use]
    pub fn and(mut self, inner: Self) -> Self {
        self.below.extend(inner.below);
        Self {
            access_token: narrower(self.access_token, inner.access_token),
            refresh_token: narrower(self.refresh_token, inner.refresh_token),
            public_client: narrower(self.public_client, inner.public_client),
            refuses_public_clients: self.refuses_public_clients || inner.refuses_public_clients,
            by_possession: inner.by_possession,
            tenant: self.tenant.and(inner.tenant),
            subject: self.subject.and(inner.subject),
            kind: self.kind.and(inner.kind),
            below: self.below,
        }
    }

    /// Whether the token of any client can be revoked.
    #[cfg(feature = "jwt")]
    pub(super) fn is_by_possession(&self) -> bool {
        self.by_possession
    }

    pub(super) fn refuses_public_clients(&self) -> bool {
        self.refuses_public_clients
    }

    /// Whether only an introspection can decide if the token may be revoked. The other server decides
    /// about the kind itself.
    #[cfg(feature = "upstream")]
    pub(super) fn depends_on_the_token(&self) -> bool {
        self.tenant != Only::Any || self.subject != Only::Any || !self.below.is_empty()
    }

    /// Replaces the cascades of a backend.
    pub(super) fn apply<L>(&self, is_public: bool, recorder: &mut Recorder<L>) {
        let settings = &mut recorder.settings;
        let all = self.public_client.filter(|_| is_public);
        let access = all.or(self.access_token);
        let refresh = all.or(self.refresh_token);
        settings.access_token = access.unwrap_or(settings.access_token);
        settings.refresh_token = refresh.unwrap_or(settings.refresh_token);
    }

    /// Returns the outcome for a token that these options exclude, whose owner is the client or not.
    pub(super) fn exclude(&self, token: &Introspection, is_owner: bool) -> Option<Outcome> {
        let tenant = self.tenant.admits(token.tenant.as_deref());
        if tenant == Some(false) {
            return Some(Outcome::NotFound);
        }
        let is_of_subject = self.subject.admits(token.sub.as_deref()) == Some(true);
        let is_below = self.below.iter().all(|above| is_at_or_below(token, above));
        if !(is_owner || self.by_possession) || !is_of_subject || !is_below {
            return Some(Outcome::IssuedToAnother);
        }
        let is_kind = match self.kind {
            Only::Any => true,
            Only::This(kind) => kind == token.kind,
            Only::Nothing => false,
        };
        (tenant.is_none() || !is_kind).then_some(Outcome::Unsupported)
    }
}

/// The one of two cascades that revokes less.
fn narrower(one: Option<Cascade>, other: Option<Cascade>) -> Option<Cascade> {
    let extent = |cascade: &Cascade| match cascade {
        Cascade::Token => 0,
        Cascade::GrantOnly => 1,
        Cascade::Grant => 2,
        Cascade::SubjectAndClient => 3,
        Cascade::Subject => 4,
    };
    one.into_iter().chain(other).min_by_key(extent)
}

fn is_at_or_below(token: &Introspection, above: &Introspection) -> bool {
    let is_itself = token.token.is_some() && token.token == above.token;
    let descends = above.grant.as_ref().is_some_and(|grant| {
        let mut ancestors = token.ancestors.iter().take(Claims::MAX_ANCESTORS);
        token.tenant == above.tenant && ancestors.any(|ancestor| ancestor == grant)
    });
    is_itself || descends
}
