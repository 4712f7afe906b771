//! Is a signed proof for the other server?

use serde_json::Value;

use crate::jose::{Claim, Jws};

/// A longer one is not looked at.
const LONGEST: usize = 16 * 1024;

/// Whether the `aud` of this JWS is, or has, one of these names. `None` if it cannot be read.
///
/// Its signature is for the other server to verify.
pub(super) fn names(compact: &str, audiences: &[String]) -> Option<bool> {
    let jws = Jws::parse(compact, LONGEST).ok()?;
    let is_one = |name: &str| audiences.iter().any(|audience| audience == name);
    Some(match jws.claims.get("aud") {
        Some(Claim::Text(name)) => is_one(name),
        Some(Claim::Other(Value::Array(names))) => {
            names.iter().filter_map(Value::as_str).any(is_one)
        }
        _ => false,
    })
}
