//! Which access tokens belong to an opaque refresh token?

mod family;
mod holder;
mod layer;
mod learning;
mod linked;
mod lookup;
mod observe;
mod row;
mod tables;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use self::learning::{AccessToken, Learnt, Limits, Tokens};
pub use self::{
    layer::{LearnLinks, LearnLinksFuture, LearnLinksLayer, WatchedBody},
    linked::LinkedTokens,
};
use crate::{
    introspect::Introspection,
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
/// | an identifier (`jti`: Okta; Auth0 with the RFC 9068 profile) | each access token that is alive | these |
/// | none of them (the default profile of Auth0) | the subject at the client | every token that the client holds for the subject until now |
///
/// The last eight refresh tokens of the family are recorded too, in every case.
///
/// The last row also applies if not every access token is known: there are more than 32 alive, one
/// could not be introspected or is for another API, or the refresh token is older than its link.
/// **It ends the access tokens of the subject's other devices too**, and their refresh tokens at a
/// [`LearnLinksLayer`] that [refuses](LearnLinksLayer::refuse_revoked) revoked ones. If the tokens
/// have no subject, no record covers them, and the refresh token stays unknown.
///
/// A rotated refresh token belongs to the same family as the one that it replaces, and revokes the
/// same. The last eight of a family are known. **If the server still accepts an older one, it is a
/// new family**, and not revoked with this one.
///
/// A refresh token stays in its first family. A later response of another issuer does not change
/// that. An access token of the same issuer for another client or subject is revoked with the
/// family by its identifier. If it has none, the family becomes unknown.
///
/// # What is unknown
///
/// **A refresh token that no link knows is unknown here.** `RecordRevocation` returns
/// `unsupported_token_type` for it, unless something else recognises it. So links are no reason to
/// be [responsible for all tokens](super::RecordRevocation::responsible_for_all_tokens): a link may
/// never have been learnt, have been removed to make room, or be damaged.
///
/// If such a token is used again, it gets a link. It is older than that link, so the last row of
/// the table applies, and every record about its subject, client, key or issuer covers it.
///
/// # What is stored
///
/// A digest of each refresh token under a key of the file, and the rest masked: see
/// [`log`](crate::log). Tokens are not stored. A link is durable before the client gets the tokens,
/// and it takes part in the commits and backups of the log. A link expires after the
/// [longest lifetime](Self::longest_lifetime) of a refresh token, counted from its last use.
///
/// There are at most 250 000 families, at most a tenth of them for one client, and at most a tenth of
/// those for one subject at it. Beyond that, a new family replaces the one of the same subject or
/// client that expires first, which is the one that was not used for the longest time. If the client
/// has none, the new family is not stored.
///
/// A row that is damaged is skipped: its refresh tokens are unknown. It is counted as `damaged` (see
/// [`LearnLinksLayer`]), and it is an event of level `ERROR`.
///
/// Links of a fleet are not shared: each process knows those that passed it. A fleet that keeps its
/// log in a database can give each process a file for its links.
///
/// As a `tower::Service<Secret>` it introspects the refresh tokens that it knows. One whose link is
/// damaged, or whose access tokens no record covers wholly, is
/// [`Unhandled`](crate::introspect::Introspected::Unhandled).
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
    /// [capacity](Self::capacity), and at least 16. One subject can have a tenth of it, and at least
    /// 16.
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
    /// record could name is in the access token, if the refresh tokens are those of another issuer,
    /// and if there is no room.
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
        let name = |token: &Secret| self.name(token);
        let client = access.client();
        let tokens = Tokens {
            access,
            issued: refresh_token.map(name),
            presented: presented.map(name),
        };
        let limits = self.limits;
        let now = NumericDate::now().seconds();
        self.log
            .write_for(client, move |work| {
                learning::learn(work, &tokens, now, limits)
            })
            .await
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
