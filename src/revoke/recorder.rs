//! Which records revoke a token, and what is revoked with it?

use tower::BoxError;

#[cfg(feature = "profiles")]
use super::order::OrderedRecords;
use super::{
    Cascade,
    quota::{self, Quota},
    refused,
    retention::Retention,
};
#[cfg(feature = "upstream")]
use crate::{
    error::{Error, ErrorKind},
    log::LogError,
};
use crate::{
    introspect::{Introspected, Introspection, TokenKind},
    log::{NumericDate, Revocation, RevocationLog, SelectorClass},
    token::Outcome,
};

/// Records revocations in a log.
#[derive(Clone, Debug)]
pub(super) struct Recorder<L> {
    pub(super) settings: RecordSettings,
    pub(super) quota: Option<Quota>,
    log: L,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct RecordSettings {
    pub(super) refresh_token: Cascade,
    pub(super) access_token: Cascade,
    pub(super) retention: Retention,
    pub(super) responsible_for_all_tokens: bool,
}

/// How much is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// What the cascade says.
    Cascade,
    /// Only the token, whatever the cascade says.
    #[cfg(feature = "upstream")]
    Token,
}

impl<L> Recorder<L> {
    pub(super) fn new(log: L) -> Self {
        Self {
            settings: RecordSettings {
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
    pub(super) fn check_log(&self) -> Result<(), LogError> {
        let health = self.log.health();
        match health.cause() {
            None => Ok(()),
            Some(cause) => {
                let response = Error::new(ErrorKind::Unavailable).caused_by(cause.clone());
                let response = match health.retry_delay() {
                    Some(delay) => response.retry_after(delay),
                    None => response,
                };
                Err(LogError::new(cause.kind()).caused_by(response))
            }
        }
    }

    /// Fails if the client of the token has used up its quota.
    #[cfg(feature = "upstream")]
    pub(super) fn check_quota(&self, token: &Introspection) -> Result<(), Error> {
        match &self.quota {
            Some(quota) if !quota.has_room(token) => Err(refused::by_quota()),
            _ => Ok(()),
        }
    }

    /// Returns whether a token has expired, or is revoked according to its introspection.
    #[cfg(feature = "upstream")]
    pub(super) fn is_dead(&self, token: &Introspection) -> bool {
        token.revoked || self.settings.has_expired(token.exp, NumericDate::now())
    }

    /// Records the revocation of a token, and returns once the record is durable.
    pub(super) async fn revoke(
        &self,
        token: &Introspection,
        extent: Extent,
    ) -> Result<Outcome, BoxError> {
        let records = self.settings.records(token, extent);
        if records.is_empty() && token.revoked {
            return Ok(Outcome::Revoked);
        }
        if records.is_empty() {
            // No selector names the live token, so it would be wrong to say that it is revoked.
            return Ok(self.settings.unhandled(token.exp));
        }
        let client = quota::client(token);
        if let Some(quota) = &self.quota {
            quota.append(&self.log, client, records).await?;
        } else {
            let appended = self.log.append_for(client, usize::MAX, records);
            // A log from outside this crate may have limits of its own.
            let appended = appended.await.map_err(refused::by_log)?;
            appended.ok_or_else(refused::by_quota)?;
        }
        Ok(Outcome::Revoked)
    }

    /// Records an order of a client, and returns once the records are durable.
    #[cfg(feature = "profiles")]
    pub(super) async fn carry_out(&self, ordered: OrderedRecords) -> Result<(), BoxError> {
        let OrderedRecords {
            client,
            records,
            quota,
        } = ordered;
        let quota = self.quota.as_ref().unwrap_or(&quota);
        quota.append(&self.log, client, records).await
    }

    /// Records the tokens that were issued with a refresh token while it was revoked. Returns the outcome
    /// for all of them.
    pub(super) async fn revoke_later_tokens(
        &self,
        revoked: &Introspection,
        again: Introspected,
    ) -> Result<Outcome, BoxError> {
        match again {
            Introspected::Token(again) if again.issued_with != revoked.issued_with => {
                self.revoke(&again, Extent::Cascade).await
            }
            // By now, records would miss one of them.
            Introspected::Unhandled { exp, .. } => Ok(self.settings.unhandled(exp)),
            Introspected::Token(_) | Introspected::Unrecognised(_) => Ok(Outcome::Revoked),
        }
    }
}

impl RecordSettings {
    /// Returns the records that revoke a token and what is revoked with it, or nothing if there is
    /// nothing left to revoke.
    pub(super) fn records(&self, token: &Introspection, extent: Extent) -> Vec<Revocation> {
        let now = NumericDate::now();
        let cascade = match (extent, token.kind) {
            (Extent::Cascade, TokenKind::AccessToken) => self.access_token,
            (Extent::Cascade, TokenKind::RefreshToken) => self.refresh_token,
            #[cfg(feature = "upstream")]
            (Extent::Token, _) => Cascade::Token,
        };
        let of = |class| token.selectors_of(class).next();
        // An ancestor's grant revokes the token, but is not its family.
        let grant = token
            .grant
            .is_some()
            .then(|| of(SelectorClass::Grant))
            .flatten();
        let family = match cascade {
            Cascade::Token => None,
            Cascade::GrantOnly => grant,
            _ => grant.or_else(|| of(SelectorClass::Session)),
        };
        let holder = match cascade {
            Cascade::Token | Cascade::GrantOnly | Cascade::Grant => None,
            Cascade::SubjectAndClient => of(SelectorClass::SubjectAndClient),
            Cascade::Subject => of(SelectorClass::Subject),
        };
        // A token that has expired by every clock, or that is already revoked, needs no record of
        // its own. Other tokens of the same grant may still be alive.
        let is_dead = token.revoked || self.has_expired(token.exp, now);
        let single = of(SelectorClass::Token).filter(|_| !is_dead);
        // The watermark must cover the token itself, even if the clock of its issuer is ahead of
        // ours.
        let not_before = token.iat.map_or(now, |iat| now.max(iat));
        let end = self.retention.end_of_token(token.exp);
        // The record must outlive this token, whatever the longest lifetime of others is.
        let expires = self.retention.end_of_tokens_issued_by(not_before).max(end);
        let first = match family {
            Some(family) => Some(Revocation::forever(family, expires)),
            None => single.map(|token| Revocation::forever(token, end)),
        };
        // With a watermark a second ahead, the issuer would date the next token after it, and so
        // on. A client that revokes often enough could move the issuer's dates beyond the reach of
        // other watermarks.
        let not_before = if first.is_some() || token.revoked {
            now
        } else {
            not_before
        };
        let holder = holder.map(|holder| Revocation::watermark(holder, not_before, expires));
        let mut records: Vec<Revocation> = first.into_iter().chain(holder).collect();
        if cascade != Cascade::Token {
            self.add_issued_with(token, now, &mut records);
        }
        records
    }

    /// Adds the records about tokens that have neither grant nor session, and were issued with this
    /// one.
    fn add_issued_with(
        &self,
        token: &Introspection,
        now: NumericDate,
        records: &mut Vec<Revocation>,
    ) {
        let Some(with) = &token.issued_with else {
            return;
        };
        let end = |exp| self.retention.end_of_token(Some(exp));
        let live = with.tokens.iter().filter(|(_, exp)| end(*exp) > now);
        records.extend(live.map(|(selector, exp)| Revocation::forever(*selector, end(*exp))));
        // Only the holder has them in common. The watermark must cover the last of them, even if
        // the clock of its issuer is ahead of ours.
        let unnamed = with.unnamed_until.map(end).filter(|end| *end > now);
        let holder = token.selectors_of(SelectorClass::SubjectAndClient).next();
        if let (Some(end), Some(holder)) = (unnamed, holder) {
            let not_before = with.latest_iat.map_or(now, |iat| now.max(iat));
            records.push(Revocation::watermark(holder, not_before, end));
        }
    }

    /// Returns the outcome for a genuine token that cannot be revoked here: an error, unless it has
    /// expired.
    pub(super) fn unhandled(&self, exp: Option<NumericDate>) -> Outcome {
        if self.has_expired(exp, NumericDate::now()) {
            Outcome::NotFound
        } else {
            Outcome::Unsupported
        }
    }

    /// Returns the outcome for a token that the introspection does not know. Another part of the
    /// server may have issued it, so 200 requires the statement that there is none.
    pub(super) fn unrecognised(&self) -> Outcome {
        if self.responsible_for_all_tokens {
            Outcome::NotFound
        } else {
            Outcome::Unsupported
        }
    }

    /// Returns whether a token that expires at `exp` has expired by every clock within the leeway.
    fn has_expired(&self, exp: Option<NumericDate>, now: NumericDate) -> bool {
        self.retention.end_of_token(exp) <= now
    }
}
