//! Dates and durations, as tokens and HTTP fields write them.

use std::time::Duration;
#[cfg(feature = "log")]
use std::time::SystemTime;

use hyper::header::HeaderValue;
#[cfg(feature = "jwt")]
use serde_json::Value;

/// A date as tokens write it: whole seconds since 1970-01-01T00:00:00Z (RFC 7519 §2).
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
#[cfg(feature = "log")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumericDate(u64);

#[cfg(feature = "log")]
impl NumericDate {
    /// Later than every other date.
    pub const FOREVER: Self = Self(u64::MAX);

    /// The date `seconds` after the Unix epoch.
    #[must_use]
    pub const fn new(seconds: u64) -> Self {
        Self(seconds)
    }

    /// The current date, by the system's clock.
    #[must_use]
    pub fn now() -> Self {
        #[cfg(test)]
        if let Some(now) = fake::NOW.get() {
            return now;
        }
        SystemTime::now().into()
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// The seconds from an earlier date to this one. Zero if `earlier` is later.
    pub(crate) const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Rounds down to the whole second. A time before 1970 becomes 1970.
#[cfg(feature = "log")]
impl From<SystemTime> for NumericDate {
    fn from(moment: SystemTime) -> Self {
        let since = moment.duration_since(SystemTime::UNIX_EPOCH);
        Self(since.unwrap_or_default().as_secs())
    }
}

/// Seconds since the Unix epoch, as databases and date libraries store them. A negative number
/// becomes 1970.
#[cfg(feature = "log")]
impl From<i64> for NumericDate {
    fn from(seconds: i64) -> Self {
        Self(u64::try_from(seconds).unwrap_or_default())
    }
}

/// Adds a duration, rounded up to whole seconds. Saturates at [`NumericDate::FOREVER`].
#[cfg(feature = "log")]
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

/// The end of the year 9999. Adding a lifetime to it does not overflow.
#[cfg(feature = "jwt")]
const LATEST: f64 = 253_402_300_799.0;

/// A JSON `NumericDate` (RFC 7519 §2), with or without a fraction, as the time since 1970.
#[cfg(feature = "jwt")]
pub(crate) fn numeric_date(value: &Value) -> Option<Duration> {
    value
        .as_f64()
        .filter(|seconds| (0.0..=LATEST).contains(seconds))
        .map(Duration::from_secs_f64)
}

/// Like [`numeric_date`], for an expiry: a date after the year 9999 means "never", and becomes
/// `Duration::MAX`. Some servers write milliseconds, or the largest number they have.
#[cfg(feature = "jwt")]
pub(crate) fn expiry(value: &Value) -> Option<Duration> {
    if value.as_f64().is_some_and(|seconds| seconds > LATEST) {
        return Some(Duration::MAX);
    }
    numeric_date(value)
}

/// `delay-seconds` of `Retry-After` (RFC 9110 §10.2.3), rounded up: a retry that comes too early
/// fails again.
pub(crate) fn delay_seconds(duration: Duration) -> HeaderValue {
    let seconds = duration
        .as_secs()
        .saturating_add(u64::from(duration.subsec_nanos() > 0));
    HeaderValue::from(seconds)
}

#[cfg(all(test, feature = "jwt"))]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn system_time_rounds_down_to_whole_seconds() {
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
    fn times_before_1970_become_1970() {
        let moment = SystemTime::UNIX_EPOCH - Duration::from_nanos(1);
        assert_eq!(NumericDate::from(moment), NumericDate::new(0));
        assert_eq!(NumericDate::from(-1_i64), NumericDate::new(0));
        assert_eq!(NumericDate::from(i64::MIN), NumericDate::new(0));
        assert!(NumericDate::from(i64::MAX) < NumericDate::FOREVER);
    }

    #[test]
    fn expiry_after_the_year_9999_means_never() {
        for value in [
            json!(253_402_300_800_u64),
            json!(1_893_456_000_000_u64),
            json!(u64::MAX),
            json!(1e300),
        ] {
            assert_eq!(expiry(&value), Some(Duration::MAX), "{value}");
            assert_eq!(numeric_date(&value), None, "{value}");
        }
        assert_eq!(expiry(&json!(1.5)), Some(Duration::from_millis(1500)));
        for value in [json!(-1), json!("1"), json!(null), json!([1])] {
            assert_eq!(expiry(&value), None, "{value}");
        }
    }
}

/// A clock that the tests of this crate set.
#[cfg(all(test, feature = "log"))]
pub(crate) mod fake {
    use std::cell::Cell;

    use super::NumericDate;

    thread_local! {
        /// The current date of this thread, if a test has set it.
        pub(crate) static NOW: Cell<Option<NumericDate>> = const { Cell::new(None) };
    }
}
