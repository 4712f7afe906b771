//! Keys of a set that cannot be used, and what they may have signed.

use serde_json::{Map, Value};

use super::{
    Algorithm, KeyError,
    jwk::{kid, synonyms},
    public_key::KeyType,
    purpose::present,
};

/// A key of a set that cannot be used here. Its owner may still sign tokens with it. If no other
/// key verifies such a token, the set does not settle who issued it.
#[derive(Clone, Debug)]
pub(super) struct LeftOut {
    pub(super) error: KeyError,
    kid: Option<String>,
    could_sign: Vec<Algorithm>,
}

impl LeftOut {
    pub(super) fn new(error: KeyError, key: &Value) -> Self {
        let no_members = Map::new();
        let jwk = key.as_object().unwrap_or(&no_members);
        let algorithms = Algorithm::ALL.iter().copied();
        Self {
            error,
            kid: kid(jwk).map(str::to_owned),
            could_sign: algorithms.filter(|alg| could_sign(jwk, *alg)).collect(),
        }
    }

    /// Whether this key may have made any signature.
    pub(super) fn signs(&self) -> bool {
        !self.could_sign.is_empty()
    }

    /// Whether this key may have made a signature by this algorithm that names the key `kid`.
    pub(super) fn could_have_signed(&self, kid: Option<&str>, algorithm: Algorithm) -> bool {
        let is_meant = match (kid, self.kid.as_deref()) {
            (Some(kid), Some(own)) => kid == own,
            _ => true,
        };
        is_meant && self.could_sign.contains(&algorithm)
    }
}

/// Whether this key may sign with the algorithm. A member that cannot be read may mean anything.
fn could_sign(jwk: &Map<String, Value>, algorithm: Algorithm) -> bool {
    let text = |name| present(jwk, name).and_then(Value::as_str);
    if algorithm.is_hmac() || text("use").is_some_and(|purpose| purpose != "sig") {
        return false;
    }
    let operations = present(jwk, "key_ops").and_then(Value::as_array);
    if operations.is_some_and(|all| !all.iter().any(|one| one == "verify" || one == "sign")) {
        return false;
    }
    let is_own = |own: Result<Algorithm, _>| own.is_ok_and(|own| synonyms(own, algorithm));
    if text("alg").is_some_and(|alg| !is_own(alg.parse())) {
        return false;
    }
    match (text("kty"), text("crv")) {
        (None, _) => true,
        (Some("RSA"), _) => KeyType::Rsa.admits(algorithm),
        (Some("EC"), Some("P-256")) => KeyType::P256.admits(algorithm),
        (Some("EC"), Some("P-384")) => KeyType::P384.admits(algorithm),
        (Some("EC"), Some("P-521")) => KeyType::P521.admits(algorithm),
        (Some("EC"), None) => {
            let curves = [KeyType::P256, KeyType::P384, KeyType::P521];
            curves.iter().any(|kind| kind.admits(algorithm))
        }
        (Some("OKP"), None | Some("Ed25519")) => KeyType::Ed25519.admits(algorithm),
        _ => false,
    }
}
