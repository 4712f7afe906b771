//! An issuer: its keys as a document, and its tokens.

use std::{
    fmt::Display,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData as _};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://id.example.com";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const SUBJECT: &str = "alice";

pub(crate) struct Issuer {
    key: EncodingKey,
    /// A key set (RFC 7517).
    pub(crate) keys: String,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let (x, y) = pair.der_bytes()[1..].split_at(32);
        let [x, y] = [x, y].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        let key =
            json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "k1", "x": x, "y": y });
        Self {
            key: EncodingKey::from_ec_der(&pair.serialize_der()),
            keys: json!({ "keys": [key] }).to_string(),
        }
    }

    /// An access token (RFC 9068), signed with ES256.
    pub(crate) fn token(&self, number: impl Display) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("the clock is right").as_secs();
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "k1" });
        let claims = json!({
            "iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "exp": now + 3600, "iat": now,
            "jti": format!("dbe39bf3a3ba4238a513f51d6e1691c{number}"), "client_id": "s6BhdRkqt3",
            "scope": "openid profile reademail", "sid": "08a5019c-17e1-4977-8f42-65a12843ea02",
        });
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let input = format!("{}.{}", encode(&header), encode(&claims));
        let signature = crypto::sign(input.as_bytes(), &self.key, Algorithm::ES256);
        format!("{input}.{}", signature.expect("a signature"))
    }
}
