//! Moments, as tokens write them.

use std::time::{Duration, SystemTime};

/// A moment as tokens write it: whole seconds since 1970-01-01T00:00:00Z (RFC 7519 §2).
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::log::NumericDate;
///
/// let issued = NumericDate::new(1_300_819_380);
/// assert_eq!((issued + Duration::from_secs(60)).seconds(), 1_300_819_440);
/// assert!(issued < NumericDate::FOREVER);
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
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self(since.unwrap_or_default().as_secs())
    }

    /// Seconds after the epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
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
