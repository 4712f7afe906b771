//! When can a record be removed?

use std::time::Duration;

use crate::log::NumericDate;

/// How long tokens live, and therefore how long records about them are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retention {
    pub(super) longest_lifetime: Option<Duration>,
    pub(super) leeway: Duration,
}

impl Default for Retention {
    /// The lifetime of tokens is unknown, and clocks differ by at most a minute.
    fn default() -> Self {
        Self {
            longest_lifetime: None,
            leeway: Duration::from_secs(60),
        }
    }
}

impl Retention {
    /// Returns when a token that expires at `exp` has expired by every clock.
    pub(super) fn end_of_token(&self, exp: Option<NumericDate>) -> NumericDate {
        exp.map_or(NumericDate::FOREVER, |exp| exp + self.leeway)
    }

    /// Returns when every token that was issued at `issued` or earlier has expired by every clock.
    ///
    /// The time is rounded up to a sixteenth of the longest lifetime. So the existing record covers
    /// a second revocation a moment later, and nothing is written for it.
    pub(super) fn end_of_tokens_issued_by(&self, issued: NumericDate) -> NumericDate {
        let Some(lifetime) = self.longest_lifetime else {
            return NumericDate::FOREVER;
        };
        let step = (lifetime.as_secs() / 16).max(1);
        let expires = (issued + lifetime + self.leeway).seconds();
        NumericDate::new(expires.div_ceil(step).saturating_mul(step))
    }
}
