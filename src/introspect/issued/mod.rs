//! Opaque tokens that are issued by an authorization server that uses this crate.

mod builder;
#[cfg(feature = "postgres")]
mod database;
mod file;
mod future;
mod generated;
mod grant;
mod log;
mod random;
mod row;
mod store;
#[cfg(test)]
mod tests;
mod token;

use std::{
    fmt,
    task::{Context, Poll},
    time::Duration,
};

use tower::Service;

use super::Introspection;
use crate::{
    log::{LogError, NumericDate},
    token::Secret,
};
pub use builder::IssuedTokensBuilder;
pub use future::IssuedFuture;
use generated::TokenFactory;
pub use grant::Grant;
use grant::Namespace;
pub use log::TokenLog;
use row::Row;
use store::Store;
pub use token::{IssuedToken, NewToken, Rotation, StoredToken, TokenUse};

/// The tokens that an authorization server has issued, in the file of its log, or in the database
/// that several servers share.
///
/// It generates the tokens itself, with 256 random bits each, and stores only their digests: no
/// token can be read from the file or the database. **No token is issued in a revoked grant, and no
/// token has an issue date that an earlier record covers.**
///
/// As a `tower::Service<Secret>` it introspects, so that
/// [`RecordRevocation`](crate::revoke::RecordRevocation) can ask it whose a token is.
///
/// # In a file
///
/// With an [`EmbeddedLog`](crate::log::EmbeddedLog), tokens are issued and rotated in the log's own
/// commits, so they and the revocations have one order, that of the file. A lookup runs on the
/// thread that calls it, also on an async thread. If the page is cached, it takes a few
/// microseconds, less than a change of threads (`benches/durability.rs` measures both). If it is
/// not, it waits for the disk to read some pages.
///
/// # In PostgreSQL
///
/// With a `FleetLog` in PostgreSQL, several authorization servers behind a balancer are one server:
/// each knows and exchanges the tokens of the others. They need the same settings. Each uses four
/// more connections.
///
/// * An exchange is one transaction. A revocation that is committed meanwhile also covers the new
///   tokens. The issue date is by the clock of the database.
/// * While the database is away, each call fails with [`Unavailable`], and works again by itself.
/// * A call whose outcome is unknown is sent again once, and finds out what became of the first one.
///   If that fails too, [`rotate`](Self::rotate) fails. **The refresh token may have been exchanged
///   nevertheless.** If the client then tries again, the result is [`Rotation::Reused`], and a
///   server that revokes the grant ends the session of an honest client. That is rare, and safe.
/// * If the database loses its newest commits in a failover, it loses tokens too, and an exchanged
///   token can be exchanged again. Replicate synchronously.
///
/// [`Unavailable`]: crate::log::LogErrorKind::Unavailable
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::{
///     introspect::issued::{Grant, IssuedTokens, NewToken, Rotation},
///     log::EmbeddedLog,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("tokens.redb");
/// let tokens = IssuedTokens::open(EmbeddedLog::open(&path)?).await?;
/// let (access, refresh) = (Duration::from_secs(600), Duration::from_secs(86_400));
/// let both = [NewToken::access_token(access), NewToken::refresh_token(refresh)];
///
/// let grant = Grant::new("g1", "s6BhdRkqt3").subject("alice").scope("read");
/// let first = tokens.issue(grant, both.to_vec()).await?.expect("the grant is new");
/// let refresh_token = &first[1].token;
///
/// // A refresh token can be exchanged once.
/// assert!(matches!(tokens.rotate(refresh_token, both.to_vec()).await?, Rotation::Issued(_)));
/// assert!(matches!(tokens.rotate(refresh_token, both.to_vec()).await?, Rotation::Reused(_)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct IssuedTokens {
    store: Store,
    factory: TokenFactory,
    namespace: Namespace,
    expired_retention: Duration,
}

impl IssuedTokens {
    /// Opens the tokens beside this log, with the default settings.
    ///
    /// # Errors
    ///
    /// Fails as [`IssuedTokensBuilder::open`] does.
    pub async fn open(log: impl Into<TokenLog>) -> Result<Self, LogError> {
        Self::builder().open(log).await
    }

    /// Opens the tokens beside a log, with settings.
    pub fn builder() -> IssuedTokensBuilder {
        IssuedTokensBuilder::new()
    }

    /// The longest lifetime of a token, for
    /// [`RecordRevocation`](crate::revoke::RecordRevocation::longest_lifetime).
    #[must_use]
    pub fn longest_lifetime(&self) -> Duration {
        self.factory.longest_lifetime
    }

    /// Issues tokens of a grant: all of them or none. Returns `None` if the grant is revoked, or if
    /// a record revokes another selector of the tokens forever.
    ///
    /// # Errors
    ///
    /// Fails if the tokens could not be made durable. Fails with [`ClockWentBack`] if the system's
    /// clock is behind the end of a record that was removed: the record may have revoked the grant.
    ///
    /// [`ClockWentBack`]: crate::log::LogErrorKind::ClockWentBack
    ///
    /// # Panics
    ///
    /// Panics if the operating system has no random numbers.
    pub async fn issue(
        &self,
        grant: Grant,
        tokens: Vec<NewToken>,
    ) -> Result<Option<Vec<IssuedToken>>, LogError> {
        let generated = self.factory.generate(tokens);
        let namespace = self.namespace.clone();
        self.store.issue(namespace, grant, generated).await
    }

    /// The issue date (`iat`, RFC 9068 §2.2) for a self-contained access token of this grant that
    /// the server signs itself: now, or the second after the last one that a record covers, even if
    /// it is in the future. Returns `None` if the grant is revoked, or if a record revokes another
    /// selector of the grant forever: then sign nothing.
    ///
    /// The request takes its place in the queue of the log, as [`issue`](Self::issue) does. It sees
    /// every revocation that was queued before this future is first polled, whether or not its
    /// response was sent. In a database, it sees every revocation that has returned. Sign with this `iat`, and name the grant in a claim that the introspection reads as
    /// the grant. Then **a token that is signed while its grant is being revoked is revoked from
    /// the start, and no token has an `iat` that a record covered at the time of this call.**
    /// Selectors that are not in the grant, such as a session or a key, are not checked.
    ///
    /// ```
    /// use tower_revocation::{
    ///     introspect::issued::{Grant, IssuedTokens},
    ///     log::{EmbeddedLog, NumericDate, Revocation, RevocationLog, Selector},
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("tokens.redb");
    /// let log = EmbeddedLog::open(&path)?;
    /// let tokens = IssuedTokens::open(log.clone()).await?;
    /// let grant = Grant::new("g1", "s6BhdRkqt3").subject("alice");
    /// assert!(tokens.earliest_iat(&grant).await?.is_some());
    ///
    /// log.append(vec![Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER)]).await?;
    /// assert_eq!(tokens.earliest_iat(&grant).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the log is closed or its queue is full. Fails with [`ClockWentBack`] as
    /// [`issue`](Self::issue) does.
    ///
    /// [`ClockWentBack`]: crate::log::LogErrorKind::ClockWentBack
    pub async fn earliest_iat(&self, grant: &Grant) -> Result<Option<NumericDate>, LogError> {
        let (grant, namespace) = (grant.clone(), self.namespace.clone());
        self.store.earliest_iat(namespace, grant).await
    }

    /// Exchanges a refresh token or an authorization code for new tokens of the same grant. If two
    /// callers exchange it at once, one of them gets the tokens.
    ///
    /// # Errors
    ///
    /// Fails if the exchange could not be made durable. It may have been written nevertheless, and
    /// the old token then cannot be exchanged again. Fails with [`ClockWentBack`] if the system's
    /// clock has gone back so far that a record about the token may have been removed. The old
    /// token can then still be exchanged.
    ///
    /// [`ClockWentBack`]: crate::log::LogErrorKind::ClockWentBack
    ///
    /// # Panics
    ///
    /// Panics if the operating system has no random numbers.
    pub async fn rotate(&self, old: &Secret, new: Vec<NewToken>) -> Result<Rotation, LogError> {
        let old = self.factory.digests.of(old);
        // An unknown token takes no place in the queue.
        let Some(row) = self.store.find(old).await? else {
            return Ok(Rotation::Invalid);
        };
        let generated = self.factory.generate(new);
        let namespace = self.namespace.clone();
        self.store.rotate(namespace, old, row, generated).await
    }

    /// What is stored about a token, revoked or not. `None` if it is unknown.
    ///
    /// # Errors
    ///
    /// Fails if the file or the database cannot be read. Fails with [`ClockWentBack`] if the token is unknown, but
    /// may have been [removed](Self::sweep) by a clock that was ahead.
    ///
    /// [`ClockWentBack`]: crate::log::LogErrorKind::ClockWentBack
    pub async fn look_up(&self, token: &Secret) -> Result<Option<StoredToken>, LogError> {
        let row = self.store.find(self.factory.digests.of(token)).await?;
        Ok(row.map(|row| StoredToken {
            usage: row.usage,
            grant: row.grant,
            used: row.used,
            exp: row.exp,
            note: row.note,
        }))
    }

    /// Introspects an access token or a refresh token. `None` if it is unknown.
    ///
    /// # Errors
    ///
    /// Fails as [`look_up`](Self::look_up) does.
    pub async fn introspect(&self, token: &Secret) -> Result<Option<Introspection>, LogError> {
        let digest = self.factory.digests.of(token);
        let row = self.store.find(digest).await?;
        Ok(self.introspection(digest, row))
    }

    fn introspection(&self, digest: [u8; 32], row: Option<Row>) -> Option<Introspection> {
        row?.introspection(digest, &self.namespace)
    }

    /// Removes the tokens that have been expired for longer than the
    /// [retention](IssuedTokensBuilder::expired_retention), and returns their number.
    ///
    /// It works in steps, so that revocations are written in between.
    /// [`sweep_every`](Self::sweep_every) calls it periodically.
    ///
    /// # Errors
    ///
    /// For a file: [`ClockJumped`](crate::log::LogErrorKind::ClockJumped) if the system's clock is
    /// ahead of the time that has passed, as with
    /// [`EmbeddedLog::sweep`](crate::log::EmbeddedLog::sweep): by such a clock, live tokens have
    /// expired. Nothing is removed then. A database removes by its own clock. Otherwise, if the file
    /// or the database cannot be written.
    pub async fn sweep(&self) -> Result<u64, LogError> {
        self.store.sweep(self.expired_retention).await
    }

    /// [Sweeps](Self::sweep) once in this period: on the log's own thread, for as long as there is a
    /// handle to the log, or, for a database, in a task on the runtime of the log, for as long as
    /// there is a handle to the tokens. Called again, it changes the period.
    #[must_use]
    pub fn sweep_every(self, period: Duration) -> Self {
        self.store.sweep_every(period, self.expired_retention);
        self
    }
}

impl Service<Secret> for IssuedTokens {
    type Response = Option<Introspection>;
    type Error = LogError;
    type Future = IssuedFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, token: Secret) -> Self::Future {
        let digest = self.factory.digests.of(&token);
        match &self.store {
            Store::File(file) => {
                let row = file.find(&digest, NumericDate::now());
                IssuedFuture::done(row.map(|row| self.introspection(digest, row)))
            }
            #[cfg(feature = "postgres")]
            Store::Database(_) => {
                let tokens = self.clone();
                IssuedFuture::asking(async move { tokens.introspect(&token).await })
            }
        }
    }
}

impl fmt::Debug for IssuedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedTokens")
            .field("store", &self.store)
            .field("longest_lifetime", &self.longest_lifetime())
            .field("expired_retention", &self.expired_retention)
            .finish_non_exhaustive()
    }
}
