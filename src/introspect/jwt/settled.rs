//! Do these keys settle whether a token is genuine?

use std::time::Duration;

use tokio::time::Instant;

use super::claims::{date, end};
use crate::{
    introspect::Reason,
    jose::{CachedKeys, Claims},
    log::NumericDate,
};

/// What a token says about its time. Nothing of it has been verified.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    iat: Option<NumericDate>,
    exp: Option<NumericDate>,
    now: NumericDate,
    leeway: Duration,
}

/// Where keys are from, and how old they are.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// They are all that there ever were.
    Fixed,
    /// They were fetched; the question came at that instant.
    Fetched(&'a CachedKeys, Instant),
}

/// What keys say that verify nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// Nobody's token.
    Yes,
    /// A key that was not tried may have signed it.
    Untried,
    /// A newer key may have signed it. These keys say nothing of it before this time has passed.
    Newer(Duration),
}

impl Times {
    pub(super) fn of(claims: &Claims, leeway: Duration) -> Self {
        Self {
            iat: date(claims, "iat").unwrap_or_default(),
            // Some say 0 for never.
            exp: end(claims)
                .unwrap_or_default()
                .filter(|exp| exp.seconds() > 0),
            now: NumericDate::now(),
            leeway,
        }
    }

    /// When it has ended by any clock, if it has.
    pub(super) fn ended(&self) -> Option<NumericDate> {
        self.exp.filter(|exp| *exp + self.leeway <= self.now)
    }

    /// Why it is not valid now, if it is not.
    pub(super) fn not_valid_now(&self) -> Option<Reason> {
        if self.exp.is_some_and(|exp| exp <= self.now) {
            return Some(Reason::Expired);
        }
        self.iat
            .is_some_and(|iat| iat > self.now + self.leeway)
            .then_some(Reason::NotYet)
    }

    /// From after then on the issuer has published the key of the token, if it can be told.
    fn published(&self) -> Option<NumericDate> {
        // One that comes from the future may say any time, and is judged as if it said none.
        let iat = self.iat.filter(|iat| *iat <= self.now + self.leeway);
        iat.map(|iat| iat + self.leeway)
    }

    /// How long until keys that are fetched then settle it.
    fn until_published(&self) -> Duration {
        let seconds = self.published().map_or(0, |published| {
            (published.seconds() + 1).saturating_sub(self.now.seconds())
        });
        Duration::from_secs(seconds)
    }
}

impl Source<'_> {
    /// Whether keys that do not verify a signature settle that nobody's does. `knows_all` if each
    /// of them that may have made it was tried.
    pub(super) fn settles(self, knows_all: bool, times: &Times) -> Settled {
        let is_new = match self {
            Self::Fixed => true,
            Self::Fetched(served, since) => match times.published() {
                Some(published) => served.requested.wall.date() > published,
                None => served.requested.instant >= since,
            },
        };
        match (is_new, knows_all) {
            (false, _) => Settled::Newer(times.until_published()),
            (true, false) => Settled::Untried,
            (true, true) => Settled::Yes,
        }
    }
}
