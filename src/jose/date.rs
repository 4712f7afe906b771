//! When does a JWT begin and end?

use std::time::Duration;

use serde_json::Value;

/// The end of the year 9999: no sum of it and a lifetime overflows.
const LATEST: f64 = 253_402_300_799.0;

/// `NumericDate` (RFC 7519 §2), with or without a fraction, as the time since 1970.
pub(crate) fn numeric_date(value: &Value) -> Option<Duration> {
    value
        .as_f64()
        .filter(|seconds| (0.0..=LATEST).contains(seconds))
        .map(Duration::from_secs_f64)
}

/// The same for an end: one beyond the calendar is never, `Duration::MAX`. Some servers write
/// milliseconds, or the largest number that they have.
pub(crate) fn expiry(value: &Value) -> Option<Duration> {
    let is_beyond = value.as_f64().is_some_and(|seconds| seconds > LATEST);
    if is_beyond {
        return Some(Duration::MAX);
    }
    numeric_date(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn end_beyond_the_calendar_is_never() {
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
