//! What a key is for: `use`, `key_ops` and `alg`.

use serde_json::{Map, Value};

use super::{Algorithm, KeyError};

/// Returns a member of a JWK. `null` and an empty string count as absent: some serializers write
/// them for members that are not set.
pub(super) fn present<'a>(jwk: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let value = jwk.get(name);
    value.filter(|value| !value.is_null() && value.as_str() != Some(""))
}

/// Returns the `alg` of the key, if it has one.
///
/// Fails for a key that is not for signatures. Such a key is no mistake, because one set may hold
/// keys for both uses (RFC 7517 §4.2, §4.3).
pub(super) fn algorithm(jwk: &Map<String, Value>) -> Result<Option<Algorithm>, KeyError> {
    if present(jwk, "use").is_some_and(|purpose| purpose != "sig") {
        return Err(KeyError::unsupported("use is not sig"));
    }
    if present(jwk, "key_ops").is_some_and(|operations| !include_verify(operations)) {
        return Err(KeyError::unsupported("key_ops does not include verify"));
    }
    let Some(alg) = present(jwk, "alg") else {
        return Ok(None);
    };
    let alg = alg.as_str().and_then(|alg| alg.parse().ok());
    alg.map(Some)
        .ok_or(KeyError::unsupported("alg is not a signature algorithm"))
}

/// Whether `key_ops` includes `verify`. Repeated operations violate RFC 7517 §4.3, but are
/// accepted: their meaning is clear.
fn include_verify(operations: &Value) -> bool {
    match operations {
        Value::Array(operations) => operations.iter().any(|operation| operation == "verify"),
        operation => operation == "verify",
    }
}
