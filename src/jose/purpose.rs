//! What is a key for?

use serde_json::{Map, Value};

use super::{Algorithm, KeyError};

/// A member of a JWK. Serializers write members that nobody set as `null` or as an empty string:
/// they say nothing.
pub(super) fn said<'a>(jwk: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let value = jwk.get(name);
    value.filter(|value| !value.is_null() && value.as_str() != Some(""))
}

/// The algorithm that the key is for, if it names one.
///
/// A key that is not for signatures is nobody's mistake: one set holds keys for both uses (RFC 7517
/// §4.2, §4.3).
pub(super) fn algorithm(jwk: &Map<String, Value>) -> Result<Option<Algorithm>, KeyError> {
    if said(jwk, "use").is_some_and(|purpose| purpose != "sig") {
        return Err(KeyError::unsupported("use is not sig"));
    }
    if said(jwk, "key_ops").is_some_and(|operations| !include_verify(operations)) {
        return Err(KeyError::unsupported("key_ops does not include verify"));
    }
    let Some(alg) = said(jwk, "alg") else {
        return Ok(None);
    };
    let alg = alg.as_str().and_then(|alg| alg.parse().ok());
    alg.map(Some)
        .ok_or(KeyError::unsupported("alg is no signature algorithm"))
}

/// Whether the key may verify. One that names an operation twice breaks RFC 7517 §4.3, but it is
/// clear what it is for.
fn include_verify(operations: &Value) -> bool {
    match operations {
        Value::Array(operations) => operations.iter().any(|operation| operation == "verify"),
        operation => operation == "verify",
    }
}
