//! What is recorded when a token is revoked?

use tower::BoxError;

use super::{
    quota::{self, Quota},
    record::Cascade,
    refused,
    retention::Retention,
};
#[cfg(feature = "upstream")]
use crate::{Error, ErrorKind, log::LogError};
use crate::{
    introspect::{Introspection, TokenKind},
    log::{NumericDate, Revocation, RevocationLog, SelectorClass},
    token::Outcome,
};

/// Records the end of tokens in a log.
#[derive(Clone, Debug)]
pub(super) struct Recorder<L> {
    pub(super) policy: Policy,
    pub(super) quota: Option<Quota>,
    log: L,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub(super) refresh_token: Cascade,
    pub(super) access_token: Cascade,
    pub(super) retention: Retention,
    pub(super) responsible_for_all_tokens: bool,
}

/// How much of what falls with a token is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// What the cascade says.
    Cascade,
    /// The token alone, whatever the cascade says.
    #[cfg(feature = "upstream")]
    Token,
}

impl<L> Recorder<L> {
    pub(super) fn new(log: L) -> Self {
        Self {
            policy: Policy {
                refresh_token: Cascade::Grant,
                access_token: Cascade::Token,
                retention: Retention::default(),
                responsible_for_all_tokens: false,
            },
            quota: None,
            log,
        }
    }
}

impl<L: RevocationLog> Recorder<L> {
    /// Fails while the log cannot be written.
    #[cfg(feature = "upstream")]
    pub(super) fn is_ready(&self) -> Result<(), LogError> {
        let health = self.log.health();
        match health.cause() {
            None => Ok(()),
            Some(cause) => {
                let told = Error::new(ErrorKind::Unavailable).caused_by(cause.clone());
                let told = match health.retry_after() {
                    Some(delay) => told.retry_after(delay),
                    None => told,
                };
                Err(LogError::new(cause.kind()).caused_by(told))
            }
        }
    }

    /// Fails if the client of the token has used up its quota.
    #[cfg(feature = "upstream")]
    pub(super) fn has_room(&self, token: &Introspection) -> Result<(), Error> {
        match &self.quota {
            Some(quota) if !quota.has_room(token) => Err(refused::by_quota()),
            _ => Ok(()),
        }
    }

    /// Whether a token has ended by itself, or its authority holds it revoked.
    #[cfg(feature = "upstream")]
    pub(super) fn is_dead(&self, token: &Introspection) -> bool {
        token.revoked || self.policy.is_dead(token.exp, NumericDate::now())
    }

    /// Records the end of a token, and returns once it is durable.
    pub(super) async fn end(
        &self,
        token: &Introspection,
        extent: Extent,
    ) -> Result<Outcome, BoxError> {
        let records = self.policy.records(token, extent);
        if records.is_empty() && token.revoked {
            return Ok(Outcome::Revoked);
        }
        if records.is_empty() {
            // Nothing names a live token of this client: to say that it is revoked would not be
            // true.
            return Ok(self.policy.unhandled(token.exp));
        }
        if let Some(quota) = &self.quota {
            quota.append(&self.log, token, records).await?;
        } else {
            let client = quota::client(token);
            let appended = self.log.append_for(client, usize::MAX, records);
            // A log of somebody else may have limits of its own.
            let appended = appended.await.map_err(refused::by_log)?;
            appended.ok_or_else(refused::by_quota)?;
        }
        Ok(Outcome::Revoked)
    }
}

impl Policy {
    /// The records that end a token and what falls with it. None if there is nothing left to end.
    pub(super) fn records(&self, token: &Introspection, extent: Extent) -> Vec<Revocation> {
        let now = NumericDate::now();
        let cascade = match (extent, token.kind) {
            (Extent::Cascade, TokenKind::AccessToken) => self.access_token,
            (Extent::Cascade, TokenKind::RefreshToken) => self.refresh_token,
            #[cfg(feature = "upstream")]
            (Extent::Token, _) => Cascade::Token,
        };
        let of = |class| token.selectors_of(class).next();
        let family = match cascade {
            Cascade::Token => None,
            _ => of(SelectorClass::Grant).or_else(|| of(SelectorClass::Session)),
        };
        let holder = match cascade {
            Cascade::Token | Cascade::Grant => None,
            Cascade::SubjectAndClient => of(SelectorClass::SubjectAndClient),
            Cascade::Subject => of(SelectorClass::Subject),
        };
        // A token that has expired by every clock, or that its authority holds revoked, is dead by
        // itself, but what came of the same grant may live on.
        let is_dead = token.revoked || self.is_dead(token.exp, now);
        let alone = of(SelectorClass::Token).filter(|_| !is_dead);
        // Not before the token itself: the clock that it was issued by may be ahead of ours.
        let not_before = token.iat.map_or(now, |iat| now.max(iat));
        let end = self.retention.until(token.exp);
        // Whatever was said of other tokens, this one does not come to life again.
        let forgotten = self.retention.forgotten(not_before).max(end);
        let first = match family {
            Some(family) => Some(Revocation::forever(family, forgotten)),
            None => alone.map(|alone| Revocation::forever(alone, end)),
        };
        // A second ahead would have the next token issued beyond it, and so on: whoever revokes
        // often enough could so drive the issuer's dates beyond what others order now.
        let not_before = if first.is_some() || token.revoked {
            now
        } else {
            not_before
        };
        let holder = holder.map(|holder| Revocation::watermark(holder, not_before, forgotten));
        first.into_iter().chain(holder).collect()
    }

    /// A genuine token that cannot be revoked here. Unless it has expired, only an error is true.
    pub(super) fn unhandled(&self, exp: Option<NumericDate>) -> Outcome {
        if self.is_dead(exp, NumericDate::now()) {
            Outcome::NotFound
        } else {
            Outcome::Unsupported
        }
    }

    /// A token that the introspection does not know. Another part of the server may have issued it,
    /// so 200 needs the statement that there is none.
    pub(super) fn unrecognised(&self) -> Outcome {
        if self.responsible_for_all_tokens {
            Outcome::NotFound
        } else {
            Outcome::Unsupported
        }
    }

    /// Whether a token that expires then is dead by any clock within the leeway.
    fn is_dead(&self, exp: Option<NumericDate>, now: NumericDate) -> bool {
        self.retention.until(exp) <= now
    }
}
