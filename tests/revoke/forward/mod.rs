//! Revocations that are forwarded to another server, and what is recorded of them here.

use std::{
    borrow::Cow,
    convert::Infallible,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

mod credentials;
mod failures;
mod options;
mod recorded;
mod response;

use bytes::Bytes;
use futures::{FutureExt as _, future::ready};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER},
};
use serde_json::{Value, json};
use tower::{BoxError, Layer as _, Service, ServiceExt as _, service_fn};
use tower_revocation::{
    RevocationLayer, Secret,
    client::{Credentials, KeepCredentials, UnverifiedClients},
    introspect::{Introspected, Introspection, Reason, TokenKind},
    log::{
        Durability, LogError, LogErrorKind, LogHealth, MemoryLog, NumericDate, Position, Reader,
        Revocation, RevocationLog, Selector, Snapshot,
    },
    revoke::{ForwardErrorKind, ForwardRevocation, RecordRevocation},
};

use crate::authorization_server::{Does, Server, json, with_status};

/// `refresh.CLIENT.GRANT` is a refresh token of this client. Every other token is unknown.
fn known(token: &Secret) -> Option<Introspection> {
    let mut words = token.expose().split('.');
    let ("refresh", client, grant) = (words.next()?, words.next()?, words.next()?) else {
        return None;
    };
    let mut known = Introspection::new(TokenKind::RefreshToken, client);
    known.token = Some(token_selector(token.expose()));
    known.grant = Some(grant.to_owned());
    Some(known)
}

fn token_selector(token: &str) -> Selector {
    Selector::token("https://as.example.com", token)
}

type Introspect = tower::util::ServiceFn<
    fn(Secret) -> futures::future::Ready<Result<Option<Introspection>, BoxError>>,
>;

fn introspect() -> Introspect {
    service_fn(|token| ready(Ok(known(&token))))
}

/// Makes a backend that forwards to this server, and returns its log too.
fn forward(server: &Server) -> (ForwardRevocation<Introspect, MemoryLog>, MemoryLog) {
    let log = MemoryLog::new();
    let record = RecordRevocation::new(introspect(), log.clone());
    let forward = ForwardRevocation::new(&server.uri(), record).unwrap();
    (forward.audiences(["https://as.example.com"]), log)
}

const C1: &str = "client_id=c1&token=refresh.c1.g1";

fn form(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post("/revoke")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::from(body.into()))
        .unwrap()
}

struct Received {
    status: StatusCode,
    retry_after: Option<HeaderValue>,
    error: String,
}

/// Sends a request whose client only the other server verifies.
async fn send<I, L>(backend: &ForwardRevocation<I, L>, request: Request<Full<Bytes>>) -> Received
where
    I: Service<Secret, Response: Into<Introspected>> + Clone + Send + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send,
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    let layer = RevocationLayer::new("/revoke", UnverifiedClients::new(), backend.clone());
    receive(layer.into_endpoint().oneshot(request).await.unwrap()).await
}

/// Sends a request whose client is verified here.
async fn send_verified<I, L>(
    backend: &ForwardRevocation<I, L>,
    request: Request<Full<Bytes>>,
) -> Received
where
    I: Service<Secret, Response: Into<Introspected>> + Clone + Send + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send,
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    let clients = service_fn(|request: Request<Credentials>| {
        let client_id = request.body().claimed_client_id();
        ready(Ok::<_, Infallible>(client_id.map(Cow::into_owned)))
    });
    let layer = RevocationLayer::new("/revoke", KeepCredentials::new(clients), backend.clone());
    receive(layer.into_endpoint().oneshot(request).await.unwrap()).await
}

async fn receive<B>(response: Response<B>) -> Received
where
    B: hyper::body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    Received {
        status: head.status,
        retry_after: head.headers.get(RETRY_AFTER).cloned(),
        error: json["error"].as_str().unwrap_or_default().to_owned(),
    }
}

async fn recorded(log: &MemoryLog) -> Vec<Selector> {
    let records = Snapshot::of(log).await.unwrap().records;
    records.iter().map(Revocation::selector).collect()
}

async fn success() -> Server {
    Server::start(Does::Respond(Response::new(Full::default()))).await
}

#[tokio::test]
async fn request_is_sent_once_even_if_the_connection_breaks() {
    let server = success().await;
    let (backend, _) = forward(&server);
    server.does(Does::RespondOnce(Response::new(Full::default())));
    for times in 1..4 {
        assert_eq!(send(&backend, form(C1)).await.status, 200);
        assert_eq!(server.asked(), times);
    }
}

#[tokio::test]
async fn uri_that_is_not_https_is_refused_at_configuration() {
    let record = || RecordRevocation::new(introspect(), MemoryLog::new());
    for uri in [
        "http://as.example.com/revoke",
        "ftp://as.example.com/revoke",
        "https://user@as.example.com/revoke",
        "https://as.example.com/revoke#x",
        "/revoke",
        "",
    ] {
        let error = ForwardRevocation::new(uri, record()).unwrap_err();
        assert_eq!(error.kind(), ForwardErrorKind::Configuration, "{uri}");
        let text = error.to_string();
        assert!(text.starts_with("invalid configuration: "), "{text}");
    }
    assert!(ForwardRevocation::new("https://10.0.0.1/revoke", record()).is_ok());
    assert!(ForwardRevocation::new("http://localhost:8080/revoke", record()).is_ok());
    assert!(ForwardRevocation::plain_http("http://as.example.com/revoke", record()).is_ok());
}

#[tokio::test]
async fn other_requests_reach_the_inner_service() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("inner")))
    });
    let service = RevocationLayer::new("/revoke", UnverifiedClients::new(), backend).layer(inner);
    let request = Request::get("/").body(Full::default()).unwrap();
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    assert_eq!(server.asked(), 0);
}
