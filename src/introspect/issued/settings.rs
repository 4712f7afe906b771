//! What is the same for all tokens of a file?

use std::time::Duration;

use super::IssuedTokens;

impl IssuedTokens {
    /// The longest that any token may live; longer orders are cut to it. Ninety days, unless this
    /// is called.
    ///
    /// Never lower it for a file that has longer-lived tokens in it.
    #[must_use]
    pub fn with_longest_lifetime(mut self, lifetime: Duration) -> Self {
        self.register.longest_lifetime = lifetime;
        self
    }

    /// How long an expired token is still known, so that an expired refresh token still ends its
    /// grant. A day, unless this is called.
    #[must_use]
    pub fn with_kept_expired(mut self, time: Duration) -> Self {
        self.kept_expired = time;
        self
    }

    /// Who issues the tokens (`iss`, RFC 8414 §2): they fall with this issuer, and their
    /// introspection says so. They have none unless this is called.
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.realm.issuer = Some(issuer.into());
        self
    }

    /// Whose the grants, subjects and clients are, where one log serves several issuers that may
    /// use the same names. See [`Selector::within`](crate::log::Selector::within).
    ///
    /// **Never change it for a file that has tokens in it**: records about them are found under the
    /// old name only.
    #[must_use]
    pub fn with_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.realm.tenant = Some(tenant.into());
        self
    }

    /// The longest that any token lives, for [`RecordRevocation`](crate::revoke::RecordRevocation::longest_lifetime).
    #[must_use]
    pub fn longest_lifetime(&self) -> Duration {
        self.register.longest_lifetime
    }
}
