//! Some clients, some tokens, and the layer around a service that must not be called.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request, Response, StatusCode, header, http::request::Builder};
use tower::{
    BoxError, Layer as _, Service, ServiceExt as _, service_fn, util::BoxCloneSyncService,
};
use tower_revocation::{
    Outcome, RevocationLayer, RevocationRequest, TokenTypeHint, client::Credentials,
};

/// The example of RFC 7009 §2.1: `s6BhdRkqt3` / `gX1fBat3bV`.
pub(crate) const C1: &str = "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW";
/// The same client with a wrong secret.
pub(crate) const WRONG: &str = "Basic czZCaGRSa3F0MzpXUk9ORw==";

pub(crate) type Authenticator = BoxCloneSyncService<Request<Credentials>, Option<String>, BoxError>;
pub(crate) type Backend = BoxCloneSyncService<RevocationRequest<String>, Outcome, BoxError>;
pub(crate) type Layer = RevocationLayer<Authenticator, Backend>;

/// The calls of the services, and the state of the tokens.
#[derive(Default)]
pub(crate) struct World {
    tokens: Mutex<HashMap<String, &'static str>>,
    pub(crate) authentications: Mutex<Vec<Credentials>>,
    pub(crate) heads: Mutex<Vec<hyper::http::request::Parts>>,
    pub(crate) lookups: Mutex<Vec<(String, Option<TokenTypeHint>)>>,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        let world = Self::default();
        let tokens = [
            ("RT1", "s6BhdRkqt3"),
            ("AT1", "s6BhdRkqt3"),
            ("a+b", "s6BhdRkqt3"),
            ("a=b==", "s6BhdRkqt3"),
            ("RT2", "c2"),
            ("RTp", "post-client"),
            ("RTp2", "post-client2"),
            ("RTpub", "spa-1"),
            ("RTpub2", "spa-2"),
        ];
        let tokens = tokens.map(|(token, owner)| (token.to_owned(), owner));
        *world.tokens.lock().unwrap() = tokens.into();
        Arc::new(world)
    }

    pub(crate) fn is_live(&self, token: &str) -> bool {
        self.tokens.lock().unwrap().contains_key(token)
    }

    pub(crate) fn looked_up(&self) -> usize {
        self.lookups.lock().unwrap().len()
    }

    pub(crate) fn authenticator(self: &Arc<Self>) -> Authenticator {
        let world = self.clone();
        BoxCloneSyncService::new(service_fn(move |request: Request<Credentials>| {
            let (head, credentials) = request.into_parts();
            world.heads.lock().unwrap().push(head);
            world
                .authentications
                .lock()
                .unwrap()
                .push(credentials.clone());
            async move { Ok(client(&credentials)) }
        }))
    }

    pub(crate) fn backend(self: &Arc<Self>) -> Backend {
        let world = self.clone();
        BoxCloneSyncService::new(service_fn(move |request: RevocationRequest<String>| {
            let token = request.token.expose();
            world
                .lookups
                .lock()
                .unwrap()
                .push((token.to_owned(), request.hint.clone()));
            let mut tokens = world.tokens.lock().unwrap();
            let outcome = match tokens.get(token) {
                None => Outcome::NotFound,
                Some(owner) if *owner != request.client => Outcome::IssuedToAnother,
                Some(_) => {
                    tokens.remove(token);
                    Outcome::Revoked
                }
            };
            async move { Ok(outcome) }
        }))
    }

    pub(crate) fn layer(self: &Arc<Self>) -> Layer {
        RevocationLayer::new("/revoke", self.authenticator(), self.backend())
    }

    pub(crate) async fn send(self: &Arc<Self>, request: Request<Full<Bytes>>) -> FullResponse {
        send(self.layer(), request).await
    }

    /// Sends a form as C1.
    pub(crate) async fn form(self: &Arc<Self>, body: impl Into<Bytes>) -> FullResponse {
        self.send(with(body, |head| head.header(header::AUTHORIZATION, C1)))
            .await
    }

    /// Sends a form without an `Authorization` field.
    pub(crate) async fn bare(self: &Arc<Self>, body: impl Into<Bytes>) -> FullResponse {
        self.send(with(body, |head| head)).await
    }
}

/// Compares secrets with `==`: other tests cover the comparison of secrets.
fn client(credentials: &Credentials) -> Option<String> {
    let pairs = [
        ("s6BhdRkqt3", "gX1fBat3bV"),
        ("c2", "s3cr3t-two"),
        ("post-client", "p0st"),
        ("post-client2", "a+b c%d:e"),
    ];
    let is_known = |id: &str, secret: &str| pairs.contains(&(id, secret));
    match credentials {
        Credentials::Basic(basic) => {
            let (id, secret) = basic.form_decoded()?;
            is_known(&id, secret.expose()).then_some(id)
        }
        Credentials::Post {
            client_id,
            client_secret,
        } => is_known(client_id, client_secret.expose()).then(|| client_id.clone()),
        Credentials::ClientId { client_id } => ["spa-1", "spa-2"]
            .contains(&&**client_id)
            .then(|| client_id.clone()),
        _ => None,
    }
}

pub(crate) fn with(
    body: impl Into<Bytes>,
    more: impl FnOnce(Builder) -> Builder,
) -> Request<Full<Bytes>> {
    let head =
        Request::post("/revoke").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    more(head).body(Full::new(body.into())).unwrap()
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FullResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl FullResponse {
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Success: no body, no content type, no challenge.
    pub(crate) fn assert_ok(&self) {
        assert_eq!(self.status, 200, "{self:?}");
        assert!(self.body.is_empty());
        assert_eq!(self.header(header::CONTENT_LENGTH), Some("0"));
        assert_eq!(self.header(header::CONTENT_TYPE), None);
        assert_eq!(self.header(header::WWW_AUTHENTICATE), None);
    }

    pub(crate) fn assert_error(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header(header::CONTENT_TYPE), Some("application/json"));
        let object: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(object["error"], code, "{self:?}");
    }

    /// The response to every failed authentication.
    pub(crate) fn assert_unauthorized(&self) {
        self.assert_error(401, "invalid_client");
        let body =
            r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#;
        assert_eq!(self.body, body);
        let challenge = r#"Basic realm="oauth", charset="UTF-8""#;
        assert_eq!(self.header(header::WWW_AUTHENTICATE), Some(challenge));
    }

    pub(crate) fn assert_invalid_request(&self) {
        self.assert_error(400, "invalid_request");
    }
}

/// Sends a request through a layer around a service that must not be called.
pub(crate) async fn send<A, B>(
    layer: RevocationLayer<A, B>,
    request: Request<Full<Bytes>>,
) -> FullResponse
where
    A: Service<Request<Credentials>, Response = Option<String>> + Clone,
    A::Error: Into<BoxError>,
    B: Service<RevocationRequest<String>, Response = Outcome> + Clone,
    B::Error: Into<BoxError>,
{
    let response = respond(layer, request).await;
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    FullResponse {
        status: head.status,
        headers: head.headers,
        body,
    }
}

/// The same, with the extensions of the response.
pub(crate) async fn respond<A, B>(
    layer: RevocationLayer<A, B>,
    request: Request<Full<Bytes>>,
) -> Response<tower_revocation::ResponseBody<Full<Bytes>>>
where
    A: Service<Request<Credentials>, Response = Option<String>> + Clone,
    A::Error: Into<BoxError>,
    B: Service<RevocationRequest<String>, Response = Outcome> + Clone,
    B::Error: Into<BoxError>,
{
    let inner = service_fn(
        async |_: Request<Full<Bytes>>| -> Result<Response<Full<Bytes>>, Infallible> {
            panic!("the request is on the path of the layer")
        },
    );
    let Ok(response) = layer.layer(inner).oneshot(request).await;
    response
}

/// A backend that always returns this result.
pub(crate) fn always<E: Into<BoxError> + Clone + Send + Sync + 'static>(
    response: Result<Outcome, E>,
) -> Backend {
    BoxCloneSyncService::new(service_fn(move |_: RevocationRequest<String>| {
        let response = response.clone().map_err(Into::into);
        async move { response }
    }))
}
