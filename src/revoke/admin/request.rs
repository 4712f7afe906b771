//! What to revoke, on whose behalf, and why.

use crate::{
    introspect::Introspection,
    log::{NumericDate, Selector, SelectorClass},
};

/// A request to revoke every token of a [`Target`] that was issued until now, or until a date.
///
/// ```
/// use tower_revocation::revoke::{AdminRequest, Target};
///
/// let request = AdminRequest::new(Target::Subject("alice".into()))
///     .within("https://as.example.com")
///     .reason("laptop stolen, ticket 4711")
///     .actor("bob@helpdesk");
/// assert_eq!(request.actor.as_deref(), Some("bob@helpdesk"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminRequest {
    /// What to revoke.
    pub target: Target,
    /// The tenant of the subject, client, grant or session, if one log serves several issuers.
    pub tenant: Option<String>,
    /// The reason, for the event.
    pub reason: Option<String>,
    /// Who sends the request, for the event. It is not checked.
    pub actor: Option<String>,
    /// Revokes only tokens that were issued before the end of this second. Ignored for tokens,
    /// grants and sessions: see [`before`](Self::before).
    pub before: Option<NumericDate>,
}

/// What an [`AdminRequest`] revokes. **Names are compared byte for byte.**
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// One self-contained token.
    Token {
        /// The issuer (`iss`).
        issuer: String,
        /// The identifier (`jti`).
        jti: String,
    },
    /// One opaque token, by the digest that identifies it in its store. See
    /// [`of_token`](Self::of_token).
    OpaqueToken([u8; 32]),
    /// All tokens of one authorization, past and future.
    Grant(String),
    /// All tokens of one session (`sid`), past and future.
    Session(String),
    /// All tokens of one subject (`sub`), at every client.
    Subject(String),
    /// All tokens of one client, for every subject.
    Client(String),
    /// All tokens that one client holds for one subject.
    SubjectAndClient {
        /// The subject (`sub`).
        subject: String,
        /// The client.
        client_id: String,
    },
    /// All tokens bound to one key, by its SHA-256 thumbprint (`jkt`, `x5t#S256`).
    Key([u8; 32]),
    /// All tokens of one issuer (`iss`).
    Issuer(String),
    /// What this selector names, such as the selector of a `Handle`. Its tenant is part of it.
    Selected(Selector),
}

impl AdminRequest {
    /// Makes a request without a tenant, a reason, an actor or a date.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            tenant: None,
            reason: None,
            actor: None,
            before: None,
        }
    }

    /// Limits the request to one tenant: see [`Selector::within`].
    ///
    /// It applies to names that another issuer may use too: those of grants, sessions, subjects and
    /// clients. It is ignored for tokens, keys and issuers, because their names are the same for
    /// every tenant.
    #[must_use]
    pub fn within(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Sets the reason. The event contains its first 128 characters, escaped.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Sets who sends the request. The event contains its first 128 characters, escaped.
    #[must_use]
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// Revokes only tokens that were issued before `date`. Newer tokens stay live. Defaults to now.
    ///
    /// **The second of `date` is included**: tokens contain whole seconds (`iat`), so a token of
    /// that second may have been issued before `date`. A date in the future counts as now, because
    /// a request never revokes tokens that are not issued yet.
    ///
    /// It applies to subjects, clients, keys and issuers. It is ignored for tokens, grants and
    /// sessions, which are revoked forever.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use tower_revocation::revoke::{AdminRequest, Target};
    ///
    /// // The key was stolen a day ago and was replaced immediately.
    /// let yesterday = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
    /// let request = AdminRequest::new(Target::Client("s6BhdRkqt3".into())).before(yesterday);
    /// assert_eq!(request.before, Some(yesterday.into()));
    /// ```
    #[must_use]
    pub fn before(mut self, date: impl Into<NumericDate>) -> Self {
        self.before = Some(date.into());
        self
    }

    /// Returns the selector that tokens of the target have. A record with another selector would
    /// revoke nothing.
    pub(crate) fn selector(&self) -> Selector {
        let selector = self.target.selector();
        if matches!(self.target, Target::Selected(_)) {
            return selector;
        }
        match (selector.class(), &self.tenant) {
            (SelectorClass::Token | SelectorClass::Key | SelectorClass::Issuer, _) | (_, None) => {
                selector
            }
            (_, Some(tenant)) => selector.within(tenant),
        }
    }
}

impl Target {
    /// Returns the target for the token of an introspection, if a selector names that token.
    #[must_use]
    pub fn of_token(token: &Introspection) -> Option<Self> {
        let selector = token.token?;
        if let (Some(issuer), Some(jti)) = (&token.iss, &token.jti) {
            if selector == Selector::token(issuer, jti) {
                return Some(Self::Token {
                    issuer: issuer.clone(),
                    jti: jti.clone(),
                });
            }
        }
        let [_, digest @ ..] = selector.to_bytes();
        Some(Self::OpaqueToken(digest))
    }

    fn selector(&self) -> Selector {
        match self {
            Self::Token { issuer, jti } => Selector::token(issuer, jti),
            Self::OpaqueToken(digest) => Selector::opaque_token(*digest),
            Self::Grant(grant) => Selector::grant(grant),
            Self::Session(session) => Selector::session(session),
            Self::Subject(subject) => Selector::subject(subject),
            Self::Client(client_id) => Selector::client(client_id),
            Self::SubjectAndClient { subject, client_id } => {
                Selector::subject_and_client(subject, client_id)
            }
            Self::Key(thumbprint) => Selector::key(thumbprint),
            Self::Issuer(issuer) => Selector::issuer(issuer),
            Self::Selected(selector) => *selector,
        }
    }
}
