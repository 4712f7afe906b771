//! Signed responses (RFC 9701): by the issuer, and by others.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::header::ACCEPT;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use tower_revocation::{
    introspect::upstream::{Upstream, UpstreamErrorKind},
    jose::KeySet,
    log::NumericDate,
};

use crate::upstream::{
    active, ask,
    server::{Does, Server, json as plain, with_type},
};

const ISSUER: &str = "https://as.example.com";
const AUDIENCE: &str = "https://api.example.com";
const MEDIA_TYPE: &str = "application/token-introspection+jwt";

struct Issuer(KeyPair);

impl Issuer {
    fn new() -> Self {
        Self(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap())
    }

    fn keys(&self) -> KeySet {
        let point = &self.0.public_key_raw()[1..];
        let (x, y) = point.split_at(32);
        let [x, y] = [x, y].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "k1", "x": x, "y": y });
        KeySet::from_json(&json!({ "keys": [jwk] }).to_string()).unwrap()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let key = EncodingKey::from_ec_der(&self.0.serialize_der());
        signed(&key, Algorithm::ES256, header, claims)
    }
}

fn signed(key: &EncodingKey, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let input = format!("{header}.{claims}");
    let signature = crypto::sign(input.as_bytes(), key, algorithm).unwrap();
    format!("{input}.{signature}")
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "k1", "typ": "token-introspection+jwt" })
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "iat": NumericDate::now().seconds(),
        "token_introspection": active(json!({ "sub": "alice" })),
    })
}

/// The same object, with this member replaced.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

fn upstream(server: &Server, issuer: &Issuer) -> Upstream {
    let builder = server.uncached_builder();
    let builder = builder.signed(ISSUER, AUDIENCE, issuer.keys());
    builder.build().unwrap()
}

fn jwt(server: &Server, jwt: String) {
    server.does(Does::Respond(with_type(jwt, Some(MEDIA_TYPE))));
}

#[tokio::test]
async fn signed_response_is_read_like_a_plain_one() {
    let (server, issuer) = (Server::json(json!({})).await, Issuer::new());
    let upstream = upstream(&server, &issuer);
    let header = with(
        header(),
        "typ",
        json!("Application/Token-Introspection+JWT"),
    );
    for claims in [claims(), with(claims(), "aud", json!(["b", AUDIENCE]))] {
        jwt(&server, issuer.sign(&header, &claims));
        let token = ask(&upstream, "t").await.unwrap().unwrap();
        assert_eq!(
            (token.client_id.as_str(), token.sub.as_deref()),
            ("c1", Some("alice"))
        );
    }
    assert_eq!(server.requests()[0].headers[ACCEPT], MEDIA_TYPE);

    let inactive = with(claims(), "token_introspection", json!({ "active": false }));
    jwt(&server, issuer.sign(&header, &inactive));
    assert_eq!(ask(&upstream, "t").await.unwrap(), None);
}

#[tokio::test]
async fn response_that_is_not_signed_correctly_is_an_error() {
    let (server, issuer, other) = (Server::json(json!({})).await, Issuer::new(), Issuer::new());
    let upstream = upstream(&server, &issuer);
    let now = NumericDate::now().seconds();
    let good = issuer.sign(&header(), &claims());
    let hmac = EncodingKey::from_secret(b"a-secret-of-at-least-thirty-two-bytes");
    let none = json!({ "alg": "none", "typ": "token-introspection+jwt" });
    let unsigned = signed(&hmac, Algorithm::HS256, &none, &claims());
    let (input, _) = unsigned.rsplit_once('.').unwrap();
    for bad in [
        String::new(),
        "{}".to_owned(),
        format!("{input}."),
        unsigned.clone(),
        good[..good.len() - 1].to_owned(),
        format!("{good}="),
        other.sign(&header(), &claims()),
        signed(
            &hmac,
            Algorithm::HS256,
            &with(header(), "alg", json!("HS256")),
            &claims(),
        ),
        issuer.sign(&with(header(), "kid", json!("k2")), &claims()),
        // A JWT for another purpose.
        issuer.sign(&without(header(), "typ"), &claims()),
        issuer.sign(&with(header(), "typ", json!("JWT")), &claims()),
        issuer.sign(&with(header(), "typ", json!("at+jwt")), &claims()),
        issuer.sign(
            &header(),
            &with(claims(), "iss", json!("https://as.example.com/")),
        ),
        issuer.sign(&header(), &without(claims(), "iss")),
        issuer.sign(
            &header(),
            &with(claims(), "aud", json!("https://other.example.com")),
        ),
        issuer.sign(&header(), &with(claims(), "aud", json!([]))),
        issuer.sign(&header(), &without(claims(), "aud")),
        // Issued at another time.
        issuer.sign(&header(), &without(claims(), "iat")),
        issuer.sign(&header(), &with(claims(), "iat", json!(now - 90))),
        issuer.sign(&header(), &with(claims(), "iat", json!(now + 90))),
        issuer.sign(&header(), &with(claims(), "iat", json!(now.to_string()))),
        issuer.sign(&header(), &without(claims(), "token_introspection")),
        issuer.sign(
            &header(),
            &with(claims(), "token_introspection", json!("{}")),
        ),
        issuer.sign(&header(), &with(claims(), "token_introspection", json!({}))),
    ] {
        jwt(&server, bad.clone());
        let error = ask(&upstream, "t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Malformed, "{bad}");
    }
    jwt(&server, good);
    assert!(ask(&upstream, "t").await.unwrap().is_some());
}

#[tokio::test]
async fn plain_response_is_refused_if_it_has_to_be_signed() {
    let (server, issuer) = (Server::json(json!({})).await, Issuer::new());
    let upstream = upstream(&server, &issuer);
    let signed = issuer.sign(&header(), &claims());
    for response in [
        plain(active(json!({})).to_string()),
        plain(signed.clone()),
        with_type(signed, Some("application/jwt")),
        with_type(active(json!({})).to_string(), Some(MEDIA_TYPE)),
    ] {
        server.does(Does::Respond(response));
        let error = ask(&upstream, "t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Malformed);
    }
}

#[tokio::test]
async fn members_of_a_signed_response_are_read_into_an_own_type() {
    #[derive(serde::Deserialize)]
    struct Employee {
        email: String,
    }
    let (server, issuer) = (Server::json(Value::Null).await, Issuer::new());
    let mut claims = claims();
    claims["token_introspection"]["email"] = "alice@example.com".into();
    jwt(&server, issuer.sign(&header(), &claims));
    let token = ask(&upstream(&server, &issuer), "t").await.unwrap();
    let employee: Employee = token.unwrap().claims_as().unwrap();
    assert_eq!(employee.email, "alice@example.com");
}
