//! The documents that an issuer publishes.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, header};
use serde_json::json;
use tower::Service;

use super::TestIssuer;

/// Publishes the documents of a [`TestIssuer`], as a `tower::Service`. Every other path returns 404.
///
/// | path | document |
/// |---|---|
/// | *issuer*`/.well-known/openid-configuration` | metadata (`OpenID` Connect Discovery §4) |
/// | `/.well-known/oauth-authorization-server`*issuer's path* | metadata (RFC 8414 §3) |
/// | *issuer*`/jwks` | the keys that the issuer has now (RFC 7517 §5) |
///
/// [`JwtTokens::discover`](crate::introspect::jwt::JwtTokens::discover) accepts `http` on this
/// machine, so bind a port first and name the issuer after it:
///
/// ```
/// use hyper::Request;
/// use tower::ServiceExt as _;
/// use tower_revocation::test_util::TestIssuer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let issuer = TestIssuer::new(format!("http://{}", listener.local_addr()?));
/// // Serve it with hyper, or in axum: `Router::new().fallback_service(issuer.server())`.
/// let response = issuer.server().oneshot(Request::get("/jwks").body(())?).await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a service does nothing until it is called"]
pub struct TestIssuerServer {
    issuer: TestIssuer,
}

impl TestIssuerServer {
    pub(super) fn new(issuer: TestIssuer) -> Self {
        Self { issuer }
    }

    fn document(&self, path: &str) -> Option<String> {
        let issuer = self.issuer.issuer().trim_end_matches('/');
        let root = issuer
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').map(|slash| &rest[slash..]))
            .unwrap_or_default();
        if path == format!("{root}/jwks") {
            return Some(self.issuer.jwks());
        }
        let is_metadata = path == format!("{root}/.well-known/openid-configuration")
            || path == format!("/.well-known/oauth-authorization-server{root}");
        is_metadata.then(|| {
            json!({ "issuer": self.issuer.issuer(), "jwks_uri": format!("{issuer}/jwks") })
                .to_string()
        })
    }
}

impl<B> Service<Request<B>> for TestIssuerServer {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut response = Response::default();
        match self.document(request.uri().path()) {
            Some(document) => {
                let json = header::HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                *response.body_mut() = Full::from(document);
            }
            None => *response.status_mut() = StatusCode::NOT_FOUND,
        }
        ready(Ok(response))
    }
}
