//! What is to fall, who says so, and why.

use crate::{
    introspect::Introspection,
    log::{NumericDate, Selector, SelectorClass},
};

/// An order to end tokens: everything of a [`Target`] that was issued until now, or until a date.
///
/// ```
/// use tower_revocation::revoke::{AdminRequest, Target};
///
/// let order = AdminRequest::new(Target::Subject("alice".into()))
///     .within("https://as.example.com")
///     .reason("laptop stolen, ticket 4711")
///     .actor("bob@helpdesk");
/// assert_eq!(order.actor.as_deref(), Some("bob@helpdesk"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminRequest {
    /// What is to fall.
    pub target: Target,
    /// Whose subjects, clients, grants and sessions are meant, where one log serves several
    /// issuers.
    pub tenant: Option<String>,
    /// Why, for the event.
    pub reason: Option<String>,
    /// Who says so, for the event. Nobody checks it here.
    pub actor: Option<String>,
    /// Ends only what was issued before the end of this second. Ignored for tokens, grants and
    /// sessions: see [`before`](Self::before).
    pub before: Option<NumericDate>,
}

/// What an [`AdminRequest`] ends. **Names are compared byte for byte.**
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// One self-contained token.
    Token {
        /// Who issued it (`iss`).
        issuer: String,
        /// Its identifier (`jti`).
        jti: String,
    },
    /// One opaque token, by the digest that its store keeps it by. See
    /// [`of_token`](Self::of_token).
    OpaqueToken([u8; 32]),
    /// Everything that came of one authorization, past and future.
    Grant(String),
    /// Everything of one session (`sid`), past and future.
    Session(String),
    /// Everything of one subject (`sub`), at every client.
    Subject(String),
    /// Everything of one client, for every subject.
    Client(String),
    /// Everything that one client holds for one subject.
    SubjectAndClient {
        /// The subject (`sub`).
        subject: String,
        /// The client.
        client_id: String,
    },
    /// Everything bound to one key, by its SHA-256 thumbprint (`jkt`, `x5t#S256`).
    Key([u8; 32]),
    /// Everything of one issuer (`iss`).
    Issuer(String),
}

impl AdminRequest {
    /// An order without a reason, by nobody in particular.
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

    /// Only what is of this tenant: see [`Selector::within`].
    ///
    /// It is for names that another issuer may use too: those of grants, sessions, subjects and
    /// clients. Tokens, keys and issuers are the same whoever speaks of them, and an order about
    /// one is not narrowed by a tenant.
    #[must_use]
    pub fn within(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Why. The event has its first 128 characters, escaped.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Who says so. The event has its first 128 characters, escaped.
    #[must_use]
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// Ends only what was issued before `date`, and leaves the newer tokens alive. **The second of
    /// `date` is included**: tokens state whole seconds (`iat`), so that a token of that second may
    /// have been issued before. A date in the future counts as now: an order never ends tokens that
    /// are not issued yet.
    ///
    /// It narrows orders about subjects, clients, keys and issuers. It is ignored for tokens, grants
    /// and sessions, which end for ever.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use tower_revocation::revoke::{AdminRequest, Target};
    ///
    /// // The key was stolen a day ago, and replaced then.
    /// let yesterday = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
    /// let order = AdminRequest::new(Target::Client("s6BhdRkqt3".into())).before(yesterday);
    /// assert_eq!(order.before, Some(yesterday.into()));
    /// ```
    #[must_use]
    pub fn before(mut self, date: impl Into<NumericDate>) -> Self {
        self.before = Some(date.into());
        self
    }

    /// As tokens of the target have it, or their revocation would be one that nobody heeds.
    pub(super) fn selector(&self) -> Selector {
        let selector = self.target.selector();
        match (selector.class(), &self.tenant) {
            (SelectorClass::Token | SelectorClass::Key | SelectorClass::Issuer, _) | (_, None) => {
                selector
            }
            (_, Some(tenant)) => selector.within(tenant),
        }
    }
}

impl Target {
    /// The one token of an introspection, if anything names it.
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
        }
    }
}
