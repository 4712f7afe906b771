//! An issuer, its key, and a token.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rcgen::KeyPair;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    introspect::{
        Introspection,
        jwt::{Audience, JwtTokens},
    },
    jose::KeySet,
    log::NumericDate,
};

pub(crate) const ISSUER: &str = "https://as.example.com";
pub(crate) const AUDIENCE: &str = "https://api.example.com";

/// The key of the issuer.
pub(crate) static KEY: LazyLock<Key> = LazyLock::new(Key::generate);

/// A P-256 key pair.
pub(crate) struct Key {
    pair: KeyPair,
    signing: EncodingKey,
}

impl Key {
    pub(crate) fn generate() -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let signing = EncodingKey::from_ec_der(&pair.serialize_der());
        Self { pair, signing }
    }

    /// The public key as a JWK, with these additional members.
    pub(crate) fn jwk(&self, more: &Value) -> Value {
        // 04 || x || y
        let (x, y) = self.pair.public_key_raw()[1..].split_at(32);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
        with(jwk, more)
    }

    pub(crate) fn jwks(&self, kid: &str) -> Value {
        json!({ "keys": [self.jwk(&json!({ "kid": kid }))] })
    }

    pub(crate) fn set(&self) -> KeySet {
        KeySet::from_json(&self.jwks("k1").to_string()).unwrap()
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// A compact JWS of exactly these bytes.
    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        self.sign_input(&format!("{}.{}", encode(header), encode(claims)))
    }

    pub(crate) fn sign_input(&self, input: &str) -> String {
        sign_by(&self.signing, Algorithm::ES256, input)
    }

    /// The public key as bytes, which a faulty library may use as a shared secret.
    pub(crate) fn public_bytes(&self) -> &[u8] {
        self.pair.public_key_raw()
    }
}

pub(crate) fn sign_by(key: &EncodingKey, algorithm: Algorithm, input: &str) -> String {
    let signature = crypto::sign(input.as_bytes(), key, algorithm).unwrap();
    format!("{input}.{signature}")
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Adds these members, and replaces those with the same names.
pub(crate) fn with(mut value: Value, more: &Value) -> Value {
    let more = more.as_object().unwrap().clone();
    value.as_object_mut().unwrap().extend(more);
    value
}

pub(crate) fn without(mut value: Value, member: &str) -> Value {
    let removed = value.as_object_mut().unwrap().remove(member);
    assert!(removed.is_some(), "{member}");
    value
}

pub(crate) fn now() -> u64 {
    NumericDate::now().seconds()
}

pub(crate) fn header() -> Value {
    json!({ "typ": "at+jwt", "alg": "ES256", "kid": "k1" })
}

/// The claims of RFC 9068 §2.2.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "5ba552d67",
        "aud": AUDIENCE,
        "exp": now() + 300,
        "iat": now(),
        "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
        "client_id": "s6BhdRkqt3",
        "scope": "openid profile reademail",
    })
}

/// A token with these claims, added to the usual ones.
pub(crate) fn token(more: &Value) -> String {
    KEY.sign(&header(), &with(claims(), more))
}

pub(crate) fn tokens() -> JwtTokens {
    JwtTokens::new(ISSUER, KEY.set(), Audience::any_of([AUDIENCE]))
}

/// Introspects a token. No keys have to be fetched.
pub(crate) async fn ask(tokens: &JwtTokens, token: &str) -> Option<Introspection> {
    let outcome = tokens.clone().oneshot(Secret::new(token)).await;
    outcome.expect("the keys are at hand").into_token()
}

/// Introspects a token with these claims, added to the usual ones.
pub(crate) async fn ask_for(more: &Value) -> Option<Introspection> {
    ask(&tokens(), &token(more)).await
}
