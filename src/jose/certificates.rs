//! The certificate members of a JWK.

use serde_json::{Map, Value};

use super::base64url::decode;

/// The certificate of a JWK, or its digest (RFC 7517 §4.7, §4.9).
///
/// Verification does not need them. A member that cannot be read is ignored, and the key stays
/// usable.
#[derive(Clone, Default)]
pub(super) struct Certificates {
    /// The first of `x5c`, in DER.
    pub(super) own: Option<Vec<u8>>,
    /// `x5t#S256`.
    pub(super) digest: Option<[u8; 32]>,
}

impl Certificates {
    pub(super) fn read(jwk: &Map<String, Value>) -> Self {
        let own = jwk.get("x5c").and_then(|chain| match chain {
            Value::Array(chain) => chain.first()?.as_str(),
            one => one.as_str(),
        });
        let digest = jwk.get("x5t#S256").and_then(Value::as_str);
        Self {
            own: own.and_then(decode).filter(|own| !own.is_empty()),
            digest: digest.and_then(sha256),
        }
    }
}

/// Reads the digest. WSO2 encodes its hexadecimal digits instead of its bytes.
fn sha256(text: &str) -> Option<[u8; 32]> {
    let bytes = decode(text)?;
    let bytes = match bytes.len() {
        64 => hexadecimal(&bytes)?,
        _ => bytes,
    };
    bytes.try_into().ok()
}

fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let value = |digit: &u8| char::from(*digit).to_digit(16);
    let byte = |pair: &[u8]| u8::try_from(value(&pair[0])? << 4 | value(&pair[1])?).ok();
    digits.chunks_exact(2).map(byte).collect()
}
