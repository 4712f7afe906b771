//! Which access tokens belong to an opaque refresh token?

mod family;
mod layer;
mod learning;
mod linked;
mod row;
mod tables;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::{Ready, ready},
    task::{Context, Poll},
    time::Duration,
};

use tower::Service;

use self::{
    family::own_selector,
    learning::{AccessToken, Learnt, Limits, Tokens},
};
pub use self::{
    layer::{LearnLinks, LearnLinksFuture, LearnLinksLayer, WatchedBody},
    linked::LinkedTokens,
};
use crate::{
    introspect::{Introspection, TokenKind},
    log::{EmbeddedLog, LogError, NumericDate},
    token::Secret,
};

/// A digest of a refresh token under the key of the file.
type Digest = [u8; 32];

/// Links from refresh tokens to what was issued with them, in the file of an
/// [`EmbeddedLog`]: the client, the subject, and the grant, the session or the identifiers of the
/// access tokens.
///
/// The refresh tokens of Auth0, Okta, Cognito and others are opaque: nothing in them says whose
/// they are. A token response has both tokens, and its access token says it. So a
/// [`LearnLinksLayer`] in front of the token endpoint learns the links, and then a client can
/// revoke a refresh token here. Use [`LinkedTokens`] as the introspection of
/// [`RecordRevocation`](super::RecordRevocation) or `ForwardRevocation`.
///
/// # What a refresh token revokes
///
/// With the cascade [`Grant`](super::Cascade::Grant), which is the default:
///
/// | Access tokens have | Recorded | Revoked |
/// |---|---|---|
/// | a grant (`origin_jti` of Cognito) | the grant | all its tokens, past and future |
/// | a session (`sid`) | the session | all its tokens, past and future, at every client |
/// | an identifier (`jti`: Okta; Auth0 with the RFC 9068 profile) | the refresh token, and each access token that is alive | these |
/// | none of them (the default profile of Auth0) | the refresh token, and the subject at the client | every token that the client holds for the subject until now |
///
/// The last row also applies to a refresh token with more than 32 access tokens alive, and to one
/// whose access token could not be introspected. **It ends the access tokens of the subject's other
/// devices too**, and their refresh tokens at a [`LearnLinksLayer`] that
/// [refuses](LearnLinksLayer::refuse_revoked) revoked ones.
///
/// A rotated refresh token belongs to the same family as the one that it replaces, and revokes the
/// same. The last eight of a family are known.
///
/// **A refresh token that no link knows is unknown here.** `RecordRevocation` returns
/// `unsupported_token_type` for it, unless something else recognises it.
///
/// # What is stored
///
/// A digest of each refresh token under a key of the file, and the rest masked: see
/// [`log`](crate::log). Tokens are not stored. A link is durable before the client gets the tokens,
/// and it takes part in the commits and backups of the log. A link expires after the
/// [longest lifetime](Self::longest_lifetime) of a refresh token, counted from its last use.
///
/// There are at most 250 000 families, and at most a tenth of them for one client. Beyond that, a
/// new family replaces the one of the same client that expires first.
///
/// Links of a fleet are not shared: each process knows those that passed it. A fleet that keeps its
/// log in a database can give each process a file for its links.
///
/// As a `tower::Service<Secret>` it introspects the refresh tokens that it knows.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::{
///     Secret,
///     introspect::{Introspection, TokenKind},
///     log::{EmbeddedLog, Selector},
///     revoke::Links,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("revocations.redb");
/// let links = Links::open(EmbeddedLog::open(&path)?)?
///     .longest_lifetime(Duration::from_secs(30 * 24 * 60 * 60));
///
/// let mut access = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
/// access.sub = Some("alice".into());
/// access.grant = Some("origin-jti-1".into());
/// let refresh_token = Secret::new("45ghiukldjahdnhzdauz");
/// links.learn(&access, Some(&refresh_token), None).await?;
///
/// let known = links.find(&refresh_token)?.expect("it was learnt");
/// assert_eq!((&*known.client_id, known.grant.as_deref()), ("s6BhdRkqt3", Some("origin-jti-1")));
/// assert!(links.find(&Secret::new("another"))?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Links {
    log: EmbeddedLog,
    limits: Limits,
}

impl Links {
    /// Opens the links in the file of this log. Clones, and links that are opened on clones of the
    /// log, are the same links.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or if its tables of links have another format.
    pub fn open(log: EmbeddedLog) -> Result<Self, LogError> {
        log.read(tables::check)?;
        Ok(Self {
            log,
            limits: Limits::default(),
        })
    }

    /// Limits the number of families: of refresh tokens, where a rotated one counts as the same.
    /// Defaults to 250 000. A family takes about 1 KiB of the file, and at most 3 KiB.
    ///
    /// # Panics
    ///
    /// Panics if it is zero.
    #[must_use]
    pub fn capacity(mut self, families: u64) -> Self {
        assert!(families > 0, "the capacity of the links is zero");
        self.limits.capacity = families;
        self
    }

    /// Limits the number of families of one client. Defaults to a tenth of the
    /// [capacity](Self::capacity), and at least 16.
    ///
    /// # Panics
    ///
    /// Panics if it is zero.
    #[must_use]
    pub fn per_client(mut self, families: u64) -> Self {
        assert!(families > 0, "the quota of the links is zero");
        self.limits.per_client = Some(families);
        self
    }

    /// Sets how long a refresh token lives after its last use. Defaults to 90 days.
    ///
    /// **If a refresh token lives longer than this, it is unknown afterwards**, and if it was
    /// revoked, it is live again. Give the same value to
    /// [`RecordRevocation::longest_lifetime`](super::RecordRevocation::longest_lifetime).
    #[must_use]
    pub fn longest_lifetime(mut self, lifetime: Duration) -> Self {
        self.limits.lifetime = lifetime;
        self
    }

    /// Learns a token response: an access token that was verified, the refresh token that was
    /// issued with it, and the refresh token that the client presented for it.
    ///
    /// Returns whether a link was stored. It is not if there is no refresh token, if nothing that a
    /// record could name is in the access token, and if there is no room.
    ///
    /// # Errors
    ///
    /// Fails if the link could not be made durable.
    pub async fn learn(
        &self,
        access: &Introspection,
        refresh_token: Option<&Secret>,
        presented: Option<&Secret>,
    ) -> Result<bool, LogError> {
        let access = AccessToken::Known(access.clone());
        let learnt = self.learn_response(access, refresh_token, presented);
        Ok(learnt.await? == Learnt::Linked)
    }

    /// As [`learn`](Self::learn). The access token may be an unknown one.
    async fn learn_response(
        &self,
        access: AccessToken,
        refresh_token: Option<&Secret>,
        presented: Option<&Secret>,
    ) -> Result<Learnt, LogError> {
        let digest = |token: &Secret| self.digest(token);
        let client = access.client();
        let tokens = Tokens {
            access,
            issued: refresh_token.map(digest),
            presented: presented.map(digest),
        };
        let limits = self.limits;
        let now = NumericDate::now().seconds();
        self.log
            .write_for(client, move |work| {
                learning::learn(work, &tokens, now, limits)
            })
            .await
    }

    /// Returns the introspection of a refresh token, revoked or not. `None` if no link knows it.
    ///
    /// It reads the file on the calling thread.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read.
    pub fn find(&self, refresh_token: &Secret) -> Result<Option<Introspection>, LogError> {
        let digest = self.digest(refresh_token);
        let key = self.log.key();
        let found = self
            .log
            .read(|database| tables::find(database, key, &digest))?;
        let now = NumericDate::now().seconds();
        let live = found.filter(|(_, family)| family.expires > now);
        Ok(live.map(|(id, family)| family.introspection(id, &digest, refresh_token)))
    }

    /// What is known of a refresh token, at least the selector that names it.
    fn find_or_name(&self, refresh_token: &Secret) -> Result<Introspection, LogError> {
        let known = self.find(refresh_token)?;
        Ok(known.unwrap_or_else(|| {
            let mut unknown = Introspection::new(TokenKind::RefreshToken, "");
            unknown.token = Some(own_selector(refresh_token));
            unknown
        }))
    }

    fn digest(&self, token: &Secret) -> Digest {
        self.log.key().digest(token.expose().as_bytes())
    }
}

impl Service<Secret> for Links {
    type Response = Option<Introspection>;
    type Error = LogError;
    type Future = Ready<Result<Option<Introspection>, LogError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, token: Secret) -> Self::Future {
        ready(self.find(&token))
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links")
            .field("log", &self.log)
            .field("limits", &self.limits)
            .finish()
    }
}
