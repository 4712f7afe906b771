//! When does a JWT begin and end?

use std::time::Duration;

use serde_json::Value;

/// `NumericDate` (RFC 7519 §2), with or without a fraction, as the time since 1970.
pub(crate) fn numeric_date(value: &Value) -> Option<Duration> {
    /// The end of the year 9999: no sum of it and a lifetime overflows.
    const LATEST: f64 = 253_402_300_799.0;
    value
        .as_f64()
        .filter(|seconds| (0.0..=LATEST).contains(seconds))
        .map(Duration::from_secs_f64)
}
