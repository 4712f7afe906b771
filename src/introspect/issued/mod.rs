//! Tokens registered by an authorization server that uses this crate, hashed at rest.

mod register;
mod row;

use std::{
    fmt,
    future::{Ready, ready},
    task::{Context, Poll},
    time::Duration,
};

use tower::Service;

use super::Introspection;
use crate::{
    log::{EmbeddedLog, LogError, LogErrorKind, NumericDate, Selector},
    token::Secret,
};
use register::Register;
use row::Digests;

/// The tokens that an authorization server has issued, in the file of its log.
///
/// It makes the tokens itself, with 256 random bits each, and keeps their digests: the file tells
/// nobody a token. Registering and rotating take part in the log's commits, so the order between
/// them and a revocation is the order on the disk: **nothing is issued in a revoked grant, and
/// nothing is issued into a second that a record covers.**
///
/// As a `tower::Service<Secret>` it introspects, so that [`Record`](crate::revoke::Record) can ask
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
    kept_expired: Duration,
}

/// One authorization: who may do what, in whose name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// Its name, unlike that of any other grant.
    pub id: String,
    /// The client that holds it.
    pub client_id: String,
    /// The resource owner, unless the client acts for itself.
    pub sub: Option<String>,
    /// What it is good for.
    pub scope: Option<String>,
}

impl Grant {
    /// A grant under a name of your own, to a client.
    ///
    /// **Never use a name again**: once a grant is revoked and every token of it has expired, its
    /// record is forgotten, and the name would be good once more. [`random`](Self::random) never
    /// does.
    pub fn new(id: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            client_id: client_id.into(),
            sub: None,
            scope: None,
        }
    }

    /// A grant under a random name, to a client.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    pub fn random(client_id: impl Into<String>) -> Self {
        Self::new(register::random(), client_id)
    }

    /// The resource owner.
    #[must_use]
    pub fn subject(mut self, sub: impl Into<String>) -> Self {
        self.sub = Some(sub.into());
        self
    }

    /// What it is good for.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Everything that could have revoked it.
    fn selectors(&self) -> impl Iterator<Item = Selector> {
        let sub = self.sub.as_deref();
        [
            Some(Selector::grant(&self.id)),
            sub.map(|sub| Selector::subject_and_client(sub, &self.client_id)),
            sub.map(Selector::subject),
            Some(Selector::client(&self.client_id)),
        ]
        .into_iter()
        .flatten()
    }
}

/// What a token is to be used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Use {
    /// Presented to resource servers.
    AccessToken = 1,
    /// Presented to the token endpoint, once.
    RefreshToken = 2,
    /// Presented to the token endpoint, once, for the first tokens of a grant (RFC 6749 §4.1.2).
    /// Nobody who revokes or introspects hears of it.
    AuthorizationCode = 3,
}

impl Use {
    fn from_octet(octet: u8) -> Option<Self> {
        Some(match octet {
            1 => Self::AccessToken,
            2 => Self::RefreshToken,
            3 => Self::AuthorizationCode,
            _ => return None,
        })
    }
}

/// An order for one token.
#[derive(Clone, Debug)]
pub struct Mint {
    usage: Use,
    lifetime: Duration,
    scope: Option<String>,
    note: String,
}

impl Mint {
    /// An access token that lives so long.
    #[must_use]
    pub fn access_token(lifetime: Duration) -> Self {
        Self::new(Use::AccessToken, lifetime)
    }

    /// A refresh token that lives so long.
    #[must_use]
    pub fn refresh_token(lifetime: Duration) -> Self {
        Self::new(Use::RefreshToken, lifetime)
    }

    /// An authorization code that lives so long; RFC 6749 §4.1.2 recommends ten minutes at the
    /// most.
    #[must_use]
    pub fn authorization_code(lifetime: Duration) -> Self {
        Self::new(Use::AuthorizationCode, lifetime)
    }

    /// What the server wants to read again when the token comes back, such as a code challenge.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Less than the grant is good for (RFC 6749 §6). All of it, unless this is called.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    fn new(usage: Use, lifetime: Duration) -> Self {
        Self {
            usage,
            lifetime,
            scope: None,
            note: String::new(),
        }
    }
}

/// A token that was issued.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The token. It is not kept: hand it over, and forget it.
    pub token: Secret,
    /// What it is used as.
    pub usage: Use,
    /// When it was issued. Never a second that a record covers, so it may lie a little ahead.
    pub iat: NumericDate,
    /// From when on it is no longer accepted.
    pub exp: NumericDate,
}

/// What is known of a token that came back to the server that issued it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registered {
    /// What it is used as.
    pub usage: Use,
    /// The authorization that it came of.
    pub grant: Grant,
    /// Whether something has been issued for it.
    pub spent: bool,
    /// From when on it is no longer accepted.
    pub exp: NumericDate,
    /// What the server wanted to read again.
    pub note: String,
}

/// What came of an attempt to exchange a token for others.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Rotation {
    /// These, in the order in which they were asked for. The old one is spent.
    Issued(Vec<Issued>),
    /// It was exchanged before: somebody else has a copy. Revoke its grant (RFC 9700 §4.14.2).
    Spent(Grant),
    /// It is unknown, expired or revoked.
    Dead,
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
        if !log.write(move |work| register::begin(work, &check)).await? {
            return Err(LogError::new(LogErrorKind::WrongKey));
        }
        let longest_lifetime = Duration::from_secs(90 * 24 * 60 * 60);
        Ok(Self {
            log,
            register: Register {
                digests,
                longest_lifetime,
            },
            kept_expired: Duration::from_secs(24 * 60 * 60),
        })
    }

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

    /// The longest that any token lives, for [`Record`](crate::revoke::Record::longest_lifetime).
    #[must_use]
    pub fn longest_lifetime(&self) -> Duration {
        self.register.longest_lifetime
    }

    /// Issues tokens of a grant, all of them or none. None if the grant is revoked, or anything
    /// else that they would have as a selector is for ever.
    ///
    /// # Errors
    ///
    /// If they could not be made durable.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    pub async fn issue(
        &self,
        grant: Grant,
        orders: Vec<Mint>,
    ) -> Result<Option<Vec<Issued>>, LogError> {
        let coins = self.register.coin(orders);
        self.log
            .write(move |work| register::issue(work, &grant, coins))
            .await
    }

    /// Exchanges a refresh token or an authorization code for new tokens of the same grant. Of two
    /// that try at once, one wins.
    ///
    /// # Errors
    ///
    /// If it could not be made durable. It may nevertheless have been: the old token may be spent.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    pub async fn rotate(&self, old: &Secret, orders: Vec<Mint>) -> Result<Rotation, LogError> {
        let (old, coins) = (self.register.digests.of(old), self.register.coin(orders));
        self.log
            .write(move |work| register::rotate(work, &old, coins))
            .await
    }

    /// What is known of a token that came back, revoked or not.
    ///
    /// # Errors
    ///
    /// If the file could not be read.
    pub fn look_up(&self, token: &Secret) -> Result<Option<Registered>, LogError> {
        let row = register::find(self.log.database(), &self.register.digests.of(token))?;
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
    /// If the file could not be read.
    pub fn introspect(&self, token: &Secret) -> Result<Option<Introspection>, LogError> {
        let digest = self.register.digests.of(token);
        let row = register::find(self.log.database(), &digest)?;
        Ok(row.and_then(|row| row.introspection(digest)))
    }

    /// Forgets the tokens that have been expired for long enough, and answers how many they were.
    ///
    /// It goes step by step, so that revocations pass between. Call it now and then, aside of
    /// requests.
    ///
    /// # Errors
    ///
    /// If it could not be written.
    pub async fn sweep(&self) -> Result<u64, LogError> {
        let (mut forgotten, mut from) = (0, Some([0; 32]));
        while let Some(start) = from {
            let kept = self.kept_expired;
            let step = self
                .log
                .write(move |work| register::sweep(work, start, kept))
                .await?;
            forgotten += step.removed;
            from = step.next;
        }
        Ok(forgotten)
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
