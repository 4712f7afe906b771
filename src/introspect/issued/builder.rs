//! How an `IssuedTokens` is opened.

use std::{fmt, time::Duration};

use super::{
    IssuedTokens, file::FileTokens, generated::TokenFactory, grant::Namespace, row::Digests,
    store::Store,
};
use crate::{
    log::{EmbeddedLog, LogError, LogErrorKind},
    token::Secret,
};

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
    /// Without the key, the holder of the file cannot even find out whether a token that they have
    /// is in it. Keep the key apart from the file.
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
    /// Never lower it for a file that has tokens with a longer lifetime.
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
    /// **Never change it for a file that has tokens in it**: records about them are found under the
    /// old name only.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.namespace.tenant = Some(tenant.into());
        self
    }

    /// Opens the tokens in the file of this log.
    ///
    /// # Errors
    ///
    /// Fails with [`WrongKey`](LogErrorKind::WrongKey) if the file was created with another key, or
    /// without one. Otherwise every token in it would look unknown, and a client that revokes one
    /// would get the response for an unknown token.
    ///
    /// Fails as well if the file cannot be read, or, for a new file, cannot be written.
    pub async fn open(self, log: EmbeddedLog) -> Result<IssuedTokens, LogError> {
        let check = self.digests.of(&Secret::new("tower-revocation key check"));
        let store = Store::File(FileTokens { log });
        if !store.open(check).await? {
            return Err(LogError::new(LogErrorKind::WrongKey));
        }
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
