//! Whether keys settle that a token is forged.

use std::time::Duration;

use tokio::time::Instant;

use super::claims::{date, end};
use crate::{
    introspect::Reason,
    jose::{CachedKeys, Claims},
    log::NumericDate,
};

/// The times in a token. They are not verified.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    iat: Option<NumericDate>,
    exp: Option<NumericDate>,
    now: NumericDate,
    leeway: Duration,
}

/// Where keys come from, and how old they are.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// A fixed set. The issuer has never had other keys.
    Fixed,
    /// Keys that were fetched, and when the introspection was requested.
    Fetched(&'a CachedKeys, Instant),
}

/// What follows if no key verifies a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// The token is forged.
    Forged,
    /// A key that was not tried may have signed it.
    Untried,
    /// A newer key may have signed it. Keys that are fetched after this time settle it.
    ByNewerKeys(Duration),
}

impl Times {
    pub(super) fn of(claims: &Claims, leeway: Duration) -> Self {
        Self {
            iat: date(claims, "iat").unwrap_or_default(),
            // Some issuers write 0 for "never".
            exp: end(claims)
                .unwrap_or_default()
                .filter(|exp| exp.seconds() > 0),
            now: NumericDate::now(),
            leeway,
        }
    }

    /// The `exp`, if it has passed by every clock within the leeway.
    pub(super) fn expired(&self) -> Option<NumericDate> {
        self.exp.filter(|exp| *exp + self.leeway <= self.now)
    }

    /// Why the token is not valid now, if it is not.
    pub(super) fn not_valid_now(&self) -> Option<Reason> {
        if self.exp.is_some_and(|exp| exp <= self.now) {
            return Some(Reason::Expired);
        }
        self.iat
            .is_some_and(|iat| iat > self.now + self.leeway)
            .then_some(Reason::NotYet)
    }

    /// The time by which the issuer has published the key of the token, if it is known.
    fn published(&self) -> Option<NumericDate> {
        // A token from the future may have any `iat`. It is treated like one without.
        let iat = self.iat.filter(|iat| *iat <= self.now + self.leeway);
        iat.map(|iat| iat + self.leeway)
    }

    /// How long to wait until newly fetched keys settle the token.
    fn until_published(&self) -> Duration {
        let seconds = self.published().map_or(0, |published| {
            (published.seconds() + 1).saturating_sub(self.now.seconds())
        });
        Duration::from_secs(seconds)
    }
}

impl Source<'_> {
    /// What follows if none of these keys verifies the token. `all_tried` says whether every key
    /// that may have signed it was tried.
    pub(super) fn settles(self, all_tried: bool, times: &Times) -> Settled {
        let is_new = match self {
            Self::Fixed => true,
            Self::Fetched(keys, requested) => match times.published() {
                Some(published) => keys.requested.wall.date() > published,
                None => keys.requested.instant >= requested,
            },
        };
        match (is_new, all_tried) {
            (false, _) => Settled::ByNewerKeys(times.until_published()),
            (true, false) => Settled::Untried,
            (true, true) => Settled::Forged,
        }
    }
}
