//! Is a signed proof for the other server?

use serde_json::Value;

use crate::jose::{Claim, Jws};

/// A longer JWS is not parsed.
const MAX_LENGTH: usize = 16 * 1024;

/// Returns whether the `aud` of this JWS is, or contains, one of these names. Returns `None` if the
/// JWS cannot be read.
///
/// The other server verifies its signature.
pub(super) fn contains(compact: &str, audiences: &[String]) -> Option<bool> {
    let jws = Jws::parse(compact, MAX_LENGTH).ok()?;
    let is_one = |name: &str| audiences.iter().any(|audience| audience == name);
    Some(match jws.claims.get("aud") {
        Some(Claim::Text(name)) => is_one(name),
        Some(Claim::Other(Value::Array(names))) => {
            names.iter().filter_map(Value::as_str).any(is_one)
        }
        _ => false,
    })
}
