//! Moments, as tokens write them.

use std::time::{Duration, SystemTime};

/// A moment as tokens write it: whole seconds since 1970-01-01T00:00:00Z (RFC 7519 §2).
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_revocation::log::NumericDate;
///
/// let issued = NumericDate::new(1_300_819_380);
/// assert_eq!((issued + Duration::from_secs(60)).seconds(), 1_300_819_440);
/// assert!(issued < NumericDate::FOREVER);
/// assert!(issued < SystemTime::now().into());
/// assert_eq!(issued, NumericDate::from(1_300_819_380_i64));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumericDate(u64);

impl NumericDate {
    /// After every other moment.
    pub const FOREVER: Self = Self(u64::MAX);

    /// So many seconds after the epoch.
    #[must_use]
    pub const fn new(seconds: u64) -> Self {
        Self(seconds)
    }

    /// The present, by the system's clock.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Seconds after the epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// How many seconds it is later than another moment, zero if it is earlier.
    pub(crate) const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The second in which a moment lies. What is before 1970 is 1970.
impl From<SystemTime> for NumericDate {
    fn from(moment: SystemTime) -> Self {
        let since = moment.duration_since(SystemTime::UNIX_EPOCH);
        Self(since.unwrap_or_default().as_secs())
    }
}

/// Seconds after 1970, as databases and libraries of dates have them. What is before 1970 is 1970.
impl From<i64> for NumericDate {
    fn from(seconds: i64) -> Self {
        Self(u64::try_from(seconds).unwrap_or_default())
    }
}

/// Later by a duration, whose fraction of a second counts as a whole one. Never beyond
/// [`NumericDate::FOREVER`].
impl std::ops::Add<Duration> for NumericDate {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let fraction = u64::from(duration.subsec_nanos() > 0);
        Self(
            self.0
                .saturating_add(duration.as_secs())
                .saturating_add(fraction),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_time_counts_by_its_whole_second() {
        let moment = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        for (millis, seconds) in [
            (0, 0),
            (999, 0),
            (1000, 1),
            (1_300_819_380_999, 1_300_819_380),
        ] {
            assert_eq!(NumericDate::from(moment(millis)).seconds(), seconds);
        }
    }

    #[test]
    fn moments_before_1970_are_1970() {
        let moment = SystemTime::UNIX_EPOCH - Duration::from_nanos(1);
        assert_eq!(NumericDate::from(moment), NumericDate::new(0));
        assert_eq!(NumericDate::from(-1_i64), NumericDate::new(0));
        assert_eq!(NumericDate::from(i64::MIN), NumericDate::new(0));
        assert!(NumericDate::from(i64::MAX) < NumericDate::FOREVER);
    }
}
