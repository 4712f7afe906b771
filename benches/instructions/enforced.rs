//! A request that the enforcement layer lets pass, with a token that it has seen before.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures::executor::block_on;
use http_body_util::Full;
use hyper::{Request, header};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData as _};
use serde_json::{Value, json};
use tower::{Layer as _, Service};
use tower_revocation::{
    Secret,
    enforce::{EnforcementLayer, EnforcementService, Index},
    introspect::{
        Introspection,
        jwt::{Audience, JwtTokens},
    },
    jose::KeySet,
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector, SelectorClass},
};

use crate::layered::Inner;

const ISSUER: &str = "https://as.example.com";
const API: &str = "https://api.example.com";

pub(crate) type ByJwt = EnforcementService<Inner, JwtTokens>;
pub(crate) type AtHand = EnforcementService<Inner, Kept>;

/// The token is verified once, and the layer sees it several times.
pub(crate) fn by_jwt() -> (ByJwt, Request<Full<Bytes>>) {
    let (tokens, token) = signed();
    let request = request(&token);
    (EnforcementLayer::new(tokens, index()).layer(Inner), request)
}

/// The introspection costs nothing.
pub(crate) fn at_hand() -> (AtHand, Request<Full<Bytes>>) {
    let (mut tokens, token) = signed();
    let introspected = block_on(tokens.call(Secret::from(token.as_str()))).expect("fixed keys");
    let kept = introspected
        .into_token()
        .expect("a genuine token")
        .for_reuse();
    let layer = EnforcementLayer::new(Kept(kept), index());
    (layer.layer(Inner), request(&token))
}

/// Always returns the same introspection.
#[derive(Clone)]
pub(crate) struct Kept(Introspection);

impl Service<Secret> for Kept {
    type Response = Option<Introspection>;
    type Error = Infallible;
    type Future = Ready<Result<Option<Introspection>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Secret) -> Self::Future {
        ready(Ok(Some(self.0.clone())))
    }
}

/// A token of RFC 9068, and what verifies it.
fn signed() -> (JwtTokens, String) {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let (x, y) = pair.der_bytes()[1..].split_at(32);
    let [x, y] = [x, y].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    let key = json!({ "kty": "EC", "crv": "P-256", "kid": "k1", "x": x, "y": y });
    let keys = json!({ "keys": [key] }).to_string();
    let keys = KeySet::from_json(&keys).expect("a key set");

    let now = NumericDate::now().seconds();
    let claims = json!({
        "iss": ISSUER, "sub": "5ba552d67", "aud": API, "exp": now + 3600, "iat": now,
        "jti": "dbe39bf3a3ba4238a513f51d6e1691c4", "client_id": "s6BhdRkqt3",
        "scope": "openid profile reademail", "sid": "08a5019c-17e1-4977-8f42-65a12843ea02",
    });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let header = encode(&json!({ "alg": "ES256", "typ": "at+jwt", "kid": "k1" }));
    let input = format!("{header}.{}", encode(&claims));
    let signer = EncodingKey::from_ec_der(&pair.serialize_der());
    let signature = crypto::sign(input.as_bytes(), &signer, Algorithm::ES256).expect("a signature");
    let tokens = JwtTokens::new(ISSUER, keys, Audience::any_of([API]));
    (tokens, format!("{input}.{signature}"))
}

/// An index with a record of every class, about other tokens.
fn index() -> Index {
    let log = MemoryLog::new();
    let index = block_on(Index::follow(&log)).expect("memory");
    let records = SelectorClass::ALL.iter().map(|class| {
        let mut bytes = [9; 33];
        bytes[0] = *class as u8;
        let selector = Selector::from_bytes(&bytes).expect("a class");
        Revocation::forever(selector, NumericDate::FOREVER)
    });
    block_on(log.append(records.collect())).expect("memory");
    index
}

fn request(token: &str) -> Request<Full<Bytes>> {
    Request::get("/api/me")
        .header(header::HOST, "as.example.com")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Full::default())
        .expect("a valid request")
}

/// The same request again.
pub(crate) fn again(request: &Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    let mut again = Request::get(request.uri().clone());
    if let Some(headers) = again.headers_mut() {
        headers.clone_from(request.headers());
    }
    again.body(Full::default()).expect("a valid request")
}
