//! Clients, their keys, and one revocation through the layer.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{HeaderMap, Request, Response, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rcgen::{KeyPair, SignatureAlgorithm};
use serde_json::{Value, json};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Error, Outcome, RevocationLayer, RevocationRequest,
    client::{
        Credentials, Refusal,
        assertion::Assertions,
        registry::{Client, ClientAuthenticator, Clients, Registry},
    },
};

pub(crate) const ISSUER: &str = "https://as.example.com";
pub(crate) const SHARED_SECRET: &str =
    "a-secret-of-at-least-sixty-four-bytes-for-every-hash-that-there-is";

/// A key pair of a client.
pub(crate) struct Key {
    pair: KeyPair,
    signing: EncodingKey,
}

impl Key {
    pub(crate) fn generate(of: &'static SignatureAlgorithm) -> Self {
        let pair = KeyPair::generate_for(of).unwrap();
        let der = pair.serialize_der();
        let signing = if of == &rcgen::PKCS_ED25519 {
            EncodingKey::from_ed_der(&der)
        } else if of == &rcgen::PKCS_RSA_SHA256 {
            EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap()
        } else {
            EncodingKey::from_ec_der(&der)
        };
        Self { pair, signing }
    }

    pub(crate) fn ec() -> Self {
        Self::generate(&rcgen::PKCS_ECDSA_P256_SHA256)
    }

    pub(crate) fn pair(&self) -> &KeyPair {
        &self.pair
    }

    /// The public key, with these additional members.
    pub(crate) fn jwk(&self, more: &Value) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let raw = self.pair.public_key_raw();
        let algorithm = self.pair.algorithm();
        let mut jwk = if algorithm == &rcgen::PKCS_ED25519 {
            json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(raw) })
        } else if algorithm == &rcgen::PKCS_RSA_SHA256 {
            let (n, e) = rsa_parts(raw);
            json!({ "kty": "RSA", "n": encode(n), "e": encode(e) })
        } else {
            // 04 || x || y
            let (x, y) = raw[1..].split_at(raw.len() / 2);
            let crv = if raw.len() == 65 { "P-256" } else { "P-384" };
            json!({ "kty": "EC", "crv": crv, "x": encode(x), "y": encode(y) })
        };
        let more = more.as_object().unwrap().clone();
        jwk.as_object_mut().unwrap().extend(more);
        jwk
    }

    pub(crate) fn jwks(&self, more: &Value) -> Value {
        json!({ "keys": [self.jwk(more)] })
    }

    /// A compact JWS with exactly this header and these claims.
    pub(crate) fn sign(&self, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
        sign_text(
            &self.signing,
            algorithm,
            &header.to_string(),
            &claims.to_string(),
        )
    }

    pub(crate) fn sign_text(&self, algorithm: Algorithm, header: &str, claims: &str) -> String {
        sign_text(&self.signing, algorithm, header, claims)
    }
}

pub(crate) fn sign_text(
    key: &EncodingKey,
    algorithm: Algorithm,
    header: &str,
    claims: &str,
) -> String {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = crypto::sign(input.as_bytes(), key, algorithm).unwrap();
    format!("{input}.{signature}")
}

pub(crate) fn sign_hmac(
    algorithm: Algorithm,
    secret: &[u8],
    header: &Value,
    claims: &Value,
) -> String {
    let key = EncodingKey::from_secret(secret);
    sign_text(&key, algorithm, &header.to_string(), &claims.to_string())
}

/// Modulus and exponent of a PKCS#1 `RSAPublicKey`.
fn rsa_parts(der: &[u8]) -> (&[u8], &[u8]) {
    fn value(der: &[u8]) -> (&[u8], &[u8]) {
        let (length, rest) = match der[1] {
            0x82 => (usize::from(der[2]) << 8 | usize::from(der[3]), &der[4..]),
            0x81 => (usize::from(der[2]), &der[3..]),
            short => (usize::from(short), &der[2..]),
        };
        rest.split_at(length)
    }
    let (sequence, _) = value(der);
    let (n, rest) = value(sequence);
    let (e, _) = value(rest);
    (n.strip_prefix(&[0]).unwrap_or(n), e)
}

/// The key of `pk-client`.
pub(crate) static PK: LazyLock<Key> = LazyLock::new(Key::ec);
/// The key of `rsa-client`.
pub(crate) static PKR: LazyLock<Key> = LazyLock::new(|| Key::generate(&rcgen::PKCS_RSA_SHA256));

/// One client for each way to sign.
pub(crate) fn clients() -> Registry {
    registry(&json!([
        {
            "client_id": "pk-client",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "jwks": PK.jwks(&json!({ "kid": "k1" })),
        },
        {
            "client_id": "rsa-client",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": PKR.jwks(&json!({ "kid": "r1" })),
        },
        {
            "client_id": "sj-client",
            "client_secret": SHARED_SECRET,
            "token_endpoint_auth_method": "client_secret_jwt",
        },
        { "client_id": "c1", "client_secret": "gX1fBat3bV" },
        { "client_id": "post", "client_secret": "p0st", "token_endpoint_auth_method": "client_secret_post" },
        { "client_id": "spa-1", "token_endpoint_auth_method": "none" },
    ]))
}

pub(crate) fn registry(document: &Value) -> Registry {
    Registry::from_json(&document.to_string()).unwrap()
}

pub(crate) fn authenticator() -> ClientAuthenticator<Registry> {
    ClientAuthenticator::new(clients()).assertions(Assertions::new(ISSUER))
}

pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// An unused `jti`.
pub(crate) fn fresh() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("u{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn header() -> Value {
    json!({ "alg": "ES256", "kid": "k1", "typ": "client-authentication+jwt" })
}

/// Valid claims, for the next minute.
pub(crate) fn claims(client_id: &str) -> Value {
    json!({
        "iss": client_id, "sub": client_id, "aud": ISSUER,
        "iat": now(), "exp": now() + 60, "jti": fresh(),
    })
}

/// The same object with these members changed. `null` removes a member.
pub(crate) fn with(mut object: Value, changes: &Value) -> Value {
    let members = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    object
}

/// An assertion of `pk-client`, with these claims changed.
pub(crate) fn pk(changes: &Value) -> String {
    PK.sign(
        Algorithm::ES256,
        &header(),
        &with(claims("pk-client"), changes),
    )
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The error, which the response does not show.
    pub(crate) error: Option<Error>,
}

impl Reply {
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.error.as_ref().and_then(Error::refusal)
    }

    /// Everything that the peer can see.
    pub(crate) fn visible(&self) -> (StatusCode, &HeaderMap, &Bytes) {
        (self.status, &self.headers, &self.body)
    }
}

/// The backend returns `Revoked` for every request that reaches it, so the status comes from the
/// authenticator.
pub(crate) fn layer<A: Clone>(
    authenticator: A,
) -> RevocationLayer<
    A,
    impl tower::Service<
        RevocationRequest<Arc<Client>>,
        Response = Outcome,
        Error = BoxError,
        Future: Send,
    > + Clone,
> {
    let backend =
        service_fn(async |_: RevocationRequest<Arc<Client>>| Ok::<_, BoxError>(Outcome::Revoked));
    RevocationLayer::new("/revoke", authenticator, backend)
}

/// One revocation through the layer.
pub(crate) async fn ask<A, B>(layer: RevocationLayer<A, B>, request: Request<String>) -> Reply
where
    A: tower::Service<Request<Credentials>, Response = Option<Arc<Client>>> + Clone,
    A::Error: Into<BoxError>,
    B: tower::Service<RevocationRequest<Arc<Client>>, Response = Outcome> + Clone,
    B::Error: Into<BoxError>,
{
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
    });
    let service = layer.layer(inner);
    let response = service.oneshot(request.map(Full::from)).await.unwrap();
    let (head, body) = response.into_parts();
    Reply {
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
        error: head.extensions.get::<Error>().cloned(),
    }
}

pub(crate) fn post(body: impl Into<String>) -> Request<String> {
    Request::post("/revoke")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.into())
        .unwrap()
}

pub(crate) fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

/// The form of RFC 7523 §2.2.
pub(crate) fn form(assertion: &str) -> String {
    let form = [
        ("token", "rt1"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion),
    ];
    serde_urlencoded::to_string(form).unwrap()
}

/// A revocation by an assertion.
pub(crate) async fn by<L>(authenticator: &ClientAuthenticator<L>, assertion: &str) -> Reply
where
    L: Clients + Clone + Send + Sync + 'static,
{
    ask(layer(authenticator.clone()), post(form(assertion))).await
}

/// The assertion is refused for this reason, and the response is the same as for an unknown client.
pub(crate) async fn refused(assertion: &str, reason: Refusal) {
    let authenticator = authenticator();
    let response = by(&authenticator, assertion).await;
    assert_eq!(response.refusal(), Some(reason), "{response:?}");
    let unknown = by(
        &authenticator,
        &PK.sign(Algorithm::ES256, &header(), &claims("nobody")),
    )
    .await;
    assert_eq!(response.visible(), unknown.visible());
    assert_eq!(response.status, 401);
}
