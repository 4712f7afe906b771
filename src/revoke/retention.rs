//! When may a record be forgotten?

use std::time::Duration;

use crate::log::NumericDate;

/// How long tokens live, and so how long records about them are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retention {
    pub(super) longest_lifetime: Option<Duration>,
    pub(super) leeway: Duration,
}

impl Default for Retention {
    /// Nothing is known of the lifetimes, and clocks are a minute apart at the most.
    fn default() -> Self {
        Self {
            longest_lifetime: None,
            leeway: Duration::from_secs(60),
        }
    }
}

impl Retention {
    /// When a token that expires then is dead by anybody's clock.
    pub(super) fn until(&self, exp: Option<NumericDate>) -> NumericDate {
        exp.map_or(NumericDate::FOREVER, |exp| exp + self.leeway)
    }

    /// When every token that was issued until then is dead by anybody's clock.
    ///
    /// Rounded up to a sixteenth of the longest lifetime: who revokes again a moment later finds
    /// the record covered, and nothing is written.
    pub(super) fn forgotten(&self, issued: NumericDate) -> NumericDate {
        let Some(lifetime) = self.longest_lifetime else {
            return NumericDate::FOREVER;
        };
        let step = (lifetime.as_secs() / 16).max(1);
        let expires = (issued + lifetime + self.leeway).seconds();
        NumericDate::new(expires.div_ceil(step).saturating_mul(step))
    }
}
