//! An issuer with a key of its own, for the demo only: everybody is `alice`.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    error::Unspecified,
    rand::{self, SystemRandom},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use futures::future::BoxFuture;
use http_body_util::{BodyExt as _, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header::AUTHORIZATION};
use serde_json::{Value, json};
use tower::Service;

use crate::respond::{AnyBody, text};

/// The registry of the sidecar. The issuer knows the same client.
pub(super) const CLIENTS: &str =
    "[{ \"client_id\": \"demo\", \"client_secret\": \"demo-secret\" }]\n";
const CREDENTIALS: &str = "demo:demo-secret";

/// How long a token lives.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// An issuer of access tokens (RFC 9068).
#[derive(Clone)]
pub(super) struct Issuer(Arc<Inner>);

struct Inner {
    url: String,
    audience: &'static str,
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl Issuer {
    pub(super) fn new(url: &str, audience: &'static str) -> Result<Self, &'static str> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let key = key.map_err(|_| "no key could be made")?;
        Ok(Self(Arc::new(Inner {
            url: url.to_owned(),
            audience,
            key,
            random: SystemRandom::new(),
        })))
    }

    async fn respond(self, request: Request<Incoming>) -> Response<AnyBody> {
        let issuer = &self.0;
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/.well-known/openid-configuration") => json(&json!({
                "issuer": issuer.url,
                "jwks_uri": format!("{}/jwks", issuer.url),
                "token_endpoint": format!("{}/token", issuer.url),
            })),
            (&Method::GET, "/jwks") => json(&issuer.keys()),
            (&Method::POST, "/token") if !is_client(&request) => error("invalid_client"),
            (&Method::POST, "/token") => {
                let body = Limited::new(request.into_body(), 1024).collect().await;
                let body = body
                    .map(http_body_util::Collected::to_bytes)
                    .unwrap_or_default();
                let pairs: Vec<(String, String)> =
                    serde_urlencoded::from_bytes(&body).unwrap_or_default();
                let wanted = ("grant_type".to_owned(), "client_credentials".to_owned());
                match issuer.token() {
                    _ if !pairs.contains(&wanted) => error("unsupported_grant_type"),
                    Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", ""),
                    Ok(token) => json(&json!({
                        "access_token": token,
                        "token_type": "Bearer",
                        "expires_in": LIFETIME.as_secs(),
                    })),
                }
            }
            _ => text(
                StatusCode::NOT_FOUND,
                "text/plain",
                "there is nothing here\n",
            ),
        }
    }
}

impl Inner {
    /// Its public key (RFC 7518 §6.2).
    fn keys(&self) -> Value {
        // An uncompressed point: 4, then both coordinates.
        let point = self.key.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
        let coordinate = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "demo",
            "x": coordinate(x), "y": coordinate(y),
        }] })
    }

    fn token(&self) -> Result<String, Unspecified> {
        let mut id = [0; 16];
        rand::fill(&mut id)?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let head = part(json!({ "alg": "ES256", "typ": "at+jwt", "kid": "demo" }));
        let claims = part(json!({
            "iss": self.url,
            "aud": self.audience,
            "sub": "alice",
            "client_id": "demo",
            "jti": URL_SAFE_NO_PAD.encode(id),
            "iat": now.as_secs(),
            "exp": (now + LIFETIME).as_secs(),
        }));
        let input = format!("{head}.{claims}");
        let signature = self.key.sign(&self.random, input.as_bytes())?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// It is no secret: the demo prints it.
fn is_client(request: &Request<Incoming>) -> bool {
    let expected = format!("Basic {}", STANDARD.encode(CREDENTIALS));
    let field = request.headers().get(AUTHORIZATION);
    field.is_some_and(|field| *field == expected)
}

fn json(document: &Value) -> Response<AnyBody> {
    text(StatusCode::OK, "application/json", document.to_string())
}

fn error(code: &str) -> Response<AnyBody> {
    let document = json!({ "error": code }).to_string();
    text(StatusCode::BAD_REQUEST, "application/json", document)
}

impl Service<Request<Incoming>> for Issuer {
    type Response = Response<AnyBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.respond(request).await) })
    }
}
