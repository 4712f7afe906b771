//! Tokens registered by an authorization server that uses this crate, hashed at rest.

mod grant;
mod mint;
mod row;
mod settings;
mod store;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::{Ready, ready},
    task::{Context, Poll},
    time::Duration,
};

use tower::Service;

use super::Introspection;
use crate::{
    log::{EmbeddedLog, LogError, LogErrorKind, NumericDate},
    token::Secret,
};
pub use grant::Grant;
use grant::Realm;
pub use mint::{Issued, Mint, Registered, Rotation, Use};
use row::{Digests, Row};
use store::Register;

/// The tokens that an authorization server has issued, in the file of its log.
///
/// It makes the tokens itself, with 256 random bits each, and keeps their digests: the file tells
/// nobody a token. Registering and rotating take part in the log's commits, so the order between
/// them and a revocation is the order on the disk: **nothing is issued in a revoked grant, and
/// nothing is issued into a second that a record covers.**
///
/// As a `tower::Service<Secret>` it introspects, so that [`RecordRevocation`](crate::revoke::RecordRevocation) can ask
/// it whose a token is. Look-ups run where they are called, also on an async thread: in a file that
/// is cached they take a few microseconds, less than handing them to another thread does
/// (`benches/durability.rs` measures both); one that is not waits for the disk to read some pages.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::{
///     introspect::issued::{Grant, IssuedTokens, Mint, Rotation},
///     log::EmbeddedLog,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("tokens.redb");
/// let tokens = IssuedTokens::open(EmbeddedLog::open(&path)?).await?;
/// let (access, refresh) = (Duration::from_secs(600), Duration::from_secs(86_400));
/// let both = [Mint::access_token(access), Mint::refresh_token(refresh)];
///
/// let grant = Grant::new("g1", "s6BhdRkqt3").subject("alice").scope("read");
/// let first = tokens.issue(grant, both.to_vec()).await?.expect("the grant is new");
/// let refresh_token = &first[1].token;
///
/// // Of two that come with the same refresh token, one wins.
/// assert!(matches!(tokens.rotate(refresh_token, both.to_vec()).await?, Rotation::Issued(_)));
/// assert!(matches!(tokens.rotate(refresh_token, both.to_vec()).await?, Rotation::Spent(_)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct IssuedTokens {
    log: EmbeddedLog,
    register: Register,
    realm: Realm,
    kept_expired: Duration,
}

impl IssuedTokens {
    /// Keeps tokens by their SHA-256, in the file of this log.
    ///
    /// # Errors
    ///
    /// As [`keyed`](Self::keyed).
    pub async fn open(log: EmbeddedLog) -> Result<Self, LogError> {
        Self::start(log, Digests::Sha256).await
    }

    /// Keeps tokens by their HMAC-SHA-256: whoever has the file, and not the key, cannot even tell
    /// whether a token that they hold is in it. Keep the key apart from the file.
    ///
    /// # Errors
    ///
    /// [`WrongKey`](LogErrorKind::WrongKey) if the file was begun under another key, or without
    /// one: every token in it would be unknown, and revoking one would be answered as if it were.
    /// Else as any write.
    ///
    /// # Panics
    ///
    /// If the key is empty: that is a setting that was forgotten.
    pub async fn keyed(log: EmbeddedLog, key: &[u8]) -> Result<Self, LogError> {
        assert!(!key.is_empty(), "the key of an IssuedTokens is not empty");
        Self::start(log, Digests::keyed(key)).await
    }

    async fn start(log: EmbeddedLog, digests: Digests) -> Result<Self, LogError> {
        let check = digests.of(&Secret::new("tower-revocation key check"));
        // A file that has been begun can be read while it cannot be written.
        let begun = log.read(|database| store::has_begun(database, &check))?;
        let is_the_key = match begun {
            Some(is_the_key) => is_the_key,
            None => log.write(move |work| store::begin(work, &check)).await?,
        };
        if !is_the_key {
            return Err(LogError::new(LogErrorKind::WrongKey));
        }
        let longest_lifetime = Duration::from_secs(90 * 24 * 60 * 60);
        Ok(Self {
            log,
            register: Register {
                digests,
                longest_lifetime,
            },
            realm: Realm::default(),
            kept_expired: Duration::from_secs(24 * 60 * 60),
        })
    }

    /// Issues tokens of a grant, all of them or none. None if the grant is revoked, or anything
    /// else that they would have as a selector is for ever.
    ///
    /// # Errors
    ///
    /// If they could not be made durable. [`ClockWentBack`](LogErrorKind::ClockWentBack) if the
    /// system's clock has gone back behind the end of a record that the log has forgotten: that
    /// record may have revoked the grant.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    pub async fn issue(
        &self,
        grant: Grant,
        orders: Vec<Mint>,
    ) -> Result<Option<Vec<Issued>>, LogError> {
        let (coins, realm) = (self.register.coin(orders), self.realm.clone());
        self.log
            .write_for(grant.client(&realm), move |work| {
                store::issue(work, &realm, &grant, coins)
            })
            .await
    }

    /// The issue date (`iat`, RFC 9068 §2.2) of a self-contained access token of this grant that
    /// the server is about to sign itself: now, or the second after the last one that is covered,
    /// even if it has not come yet. None if the grant is revoked, or anything else that it would
    /// have as a selector is for ever: sign nothing then.
    ///
    /// It is asked in the order of the log, as [`issue`](Self::issue) is: a revocation that was
    /// queued before this is first polled is heeded, answered or not. Sign with this `iat`, and
    /// name the grant in a claim that is introspected as its grant: then **a token that is signed
    /// in a grant which is revoked in the meantime is dead from the beginning, and none says a
    /// second that a record covered when it was asked for.** What else the token can fall by, such
    /// as a session or a key, is not looked at.
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
    /// If the log is closed, or too much is waiting to be written.
    /// [`ClockWentBack`](LogErrorKind::ClockWentBack) as [`issue`](Self::issue).
    pub async fn earliest_iat(&self, grant: &Grant) -> Result<Option<NumericDate>, LogError> {
        let (grant, realm) = (grant.clone(), self.realm.clone());
        self.log
            .write_for(grant.client(&realm), move |work| {
                store::earliest_iat(work, &realm, &grant)
            })
            .await
    }

    /// Exchanges a refresh token or an authorization code for new tokens of the same grant. Of two
    /// that try at once, one wins.
    ///
    /// # Errors
    ///
    /// If it could not be made durable. It may nevertheless have been: the old token may be spent.
    /// [`ClockWentBack`](LogErrorKind::ClockWentBack) if the system's clock has gone back so far
    /// that a record about the token may have been forgotten. The token is not spent then.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    pub async fn rotate(&self, old: &Secret, orders: Vec<Mint>) -> Result<Rotation, LogError> {
        let old = self.register.digests.of(old);
        // Whose it is. What nobody was given takes no place in the queue.
        let Some(row) = self.find(&old)? else {
            return Ok(Rotation::Dead);
        };
        let (coins, realm) = (self.register.coin(orders), self.realm.clone());
        self.log
            .write_for(row.grant.client(&realm), move |work| {
                store::rotate(work, &realm, &old, coins)
            })
            .await
    }

    /// What is known of a token that came back, revoked or not.
    ///
    /// # Errors
    ///
    /// If the file could not be read. [`ClockWentBack`](LogErrorKind::ClockWentBack) if the token is
    /// unknown, and may be one of those that were [swept](Self::sweep) by a clock that was ahead.
    pub fn look_up(&self, token: &Secret) -> Result<Option<Registered>, LogError> {
        let row = self.find(&self.register.digests.of(token))?;
        Ok(row.map(|row| Registered {
            usage: row.usage,
            grant: row.grant,
            spent: row.spent,
            exp: row.exp,
            note: row.note,
        }))
    }

    /// What is known of an access token or a refresh token.
    ///
    /// # Errors
    ///
    /// If the file could not be read. [`ClockWentBack`](LogErrorKind::ClockWentBack) if the token is
    /// unknown, and may be one of those that were [swept](Self::sweep) by a clock that was ahead.
    pub fn introspect(&self, token: &Secret) -> Result<Option<Introspection>, LogError> {
        let digest = self.register.digests.of(token);
        let row = self.find(&digest)?;
        Ok(row.and_then(|row| row.introspection(digest, &self.realm)))
    }

    /// Forgets the tokens that have been expired for long enough, and returns how many they were.
    ///
    /// It goes step by step, so that revocations pass between.
    /// [`sweep_every`](Self::sweep_every) calls it by itself.
    ///
    /// # Errors
    ///
    /// [`ClockJumped`](LogErrorKind::ClockJumped) if the system's clock is ahead of the time that
    /// has passed, as with [`EmbeddedLog::sweep`]: by such a clock, tokens expire that are alive.
    /// Nothing is forgotten then. Else, if it could not be written.
    pub async fn sweep(&self) -> Result<u64, LogError> {
        let (now, kept) = (self.log.clock().now()?, self.kept_expired);
        let (mut forgotten, mut from) = (0, Some([0; 32]));
        while let Some(start) = from {
            let step = self
                .log
                .write(move |work| store::sweep(work, start, kept, now))
                .await?;
            forgotten += step.removed;
            from = step.next;
        }
        Ok(forgotten)
    }

    /// [Sweeps](Self::sweep) once in this period, on the log's own thread, as long as there is a
    /// handle on the log. It keeps expired tokens for as long as this clone does. Called again, it
    /// changes the period.
    #[must_use]
    pub fn sweep_every(self, period: Duration) -> Self {
        let (clock, kept) = (self.log.clock().clone(), self.kept_expired);
        let mut from = [0; 32];
        self.log
            .every("sweeping issued tokens", period, move |work| {
                let Ok(now) = clock.now() else {
                    return Ok(false);
                };
                let next = store::sweep(work, from, kept, now)?.next;
                from = next.unwrap_or([0; 32]);
                Ok(next.is_some())
            });
        self
    }

    fn find(&self, digest: &[u8; 32]) -> Result<Option<Row>, LogError> {
        let now = NumericDate::now();
        let found = self.log.read(|database| store::find(database, digest, now));
        Ok(found?)
    }
}

impl Service<Secret> for IssuedTokens {
    type Response = Option<Introspection>;
    type Error = LogError;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, token: Secret) -> Self::Future {
        ready(self.introspect(&token))
    }
}

impl fmt::Debug for IssuedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedTokens")
            .field("log", &self.log)
            .field("longest_lifetime", &self.longest_lifetime())
            .field("kept_expired", &self.kept_expired)
            .finish_non_exhaustive()
    }
}
