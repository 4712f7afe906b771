//! How an `IssuedTokens` is opened.

use std::{fmt, time::Duration};

use super::{
    IssuedTokens, generated::TokenFactory, grant::Namespace, log::TokenLog, row::Digests,
    store::Store,
};
use crate::{log::LogError, token::Secret};

/// Opens [`IssuedTokens`] with settings. Made by [`IssuedTokens::builder`].
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::{introspect::issued::IssuedTokens, log::EmbeddedLog};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("tokens.redb");
/// let tokens = IssuedTokens::builder()
///     .issuer("https://as.example.com")
///     .longest_lifetime(Duration::from_secs(30 * 24 * 60 * 60))
///     .open(EmbeddedLog::open(&path)?)
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `open` is called"]
pub struct IssuedTokensBuilder {
    digests: Digests,
    namespace: Namespace,
    longest_lifetime: Duration,
    expired_retention: Duration,
}

impl IssuedTokensBuilder {
    pub(super) fn new() -> Self {
        Self {
            digests: Digests::Sha256,
            namespace: Namespace::default(),
            longest_lifetime: Duration::from_secs(90 * 24 * 60 * 60),
            expired_retention: Duration::from_secs(24 * 60 * 60),
        }
    }

    /// Stores tokens by their HMAC-SHA-256 under this key. Defaults to their SHA-256, without a
    /// key.
    ///
    /// Without the key, the holder of the file or the database cannot even find out whether a token
    /// that they have is in it. Keep the key apart from them, and use the same one in every process.
    ///
    /// # Panics
    ///
    /// Panics if the key is empty, which is probably a forgotten setting.
    pub fn key(mut self, key: &[u8]) -> Self {
        assert!(!key.is_empty(), "the key of an IssuedTokens is empty");
        self.digests = Digests::keyed(key);
        self
    }

    /// Limits how long any token lives. A longer lifetime is cut to this one. Defaults to 90 days.
    ///
    /// Never lower it for a store that has tokens with a longer lifetime.
    pub fn longest_lifetime(mut self, lifetime: Duration) -> Self {
        self.longest_lifetime = lifetime;
        self
    }

    /// Sets how long an expired token is still known, so that an expired refresh token still ends
    /// its grant. Defaults to one day.
    pub fn expired_retention(mut self, time: Duration) -> Self {
        self.expired_retention = time;
        self
    }

    /// Sets the issuer of the tokens (`iss`, RFC 8414 §2). It is in their introspection, and a
    /// record about this issuer revokes them. Defaults to none.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.namespace.issuer = Some(issuer.into());
        self
    }

    /// Sets the tenant of the grants, subjects and clients, for a log that serves several issuers
    /// that may use the same names. Defaults to none. See
    /// [`Selector::within`](crate::log::Selector::within).
    ///
    /// **Never change it for a store that has tokens in it**: records about them are found under the
    /// old name only.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.namespace.tenant = Some(tenant.into());
        self
    }

    /// Opens the tokens beside this log: an [`EmbeddedLog`](crate::log::EmbeddedLog), or, with the
    /// feature `postgres`, a `FleetLog` in PostgreSQL.
    ///
    /// # Errors
    ///
    /// Fails with [`WrongKey`] if the tokens were stored with another key, or without one. Otherwise
    /// every token would look unknown, and a client that revokes one would get the response for an
    /// unknown token.
    ///
    /// Fails with [`Misconfigured`] if the fleet's log is not in PostgreSQL. Fails as well if the
    /// file or the database cannot be read, or, for a new one, cannot be written.
    ///
    /// [`WrongKey`]: crate::log::LogErrorKind::WrongKey
    /// [`Misconfigured`]: crate::log::LogErrorKind::Misconfigured
    pub async fn open(self, log: impl Into<TokenLog>) -> Result<IssuedTokens, LogError> {
        let check = self.digests.of(&Secret::new("tower-revocation key check"));
        let store = Store::open(log.into(), check).await?;
        Ok(IssuedTokens {
            store,
            factory: TokenFactory {
                digests: self.digests,
                longest_lifetime: self.longest_lifetime,
            },
            namespace: self.namespace,
            expired_retention: self.expired_retention,
        })
    }
}

impl fmt::Debug for IssuedTokensBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedTokensBuilder")
            .field("namespace", &self.namespace)
            .field("longest_lifetime", &self.longest_lifetime)
            .field("expired_retention", &self.expired_retention)
            .finish_non_exhaustive()
    }
}
