//! When does a JWT begin and end?

use std::time::Duration;

use serde_json::Value;

/// The end of the year 9999: no sum of it and a lifetime overflows.
pub(crate) const LATEST: Duration = Duration::from_secs(253_402_300_799);

/// `NumericDate` (RFC 7519 §2), with or without a fraction, as the time since 1970.
pub(crate) fn numeric_date(value: &Value) -> Option<Duration> {
    value
        .as_f64()
        .filter(|seconds| (0.0..=LATEST.as_secs_f64()).contains(seconds))
        .map(Duration::from_secs_f64)
}
