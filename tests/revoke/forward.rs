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

use bytes::Bytes;
use futures::{FutureExt as _, future::ready};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER},
};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
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

/// The token of [`C1`] after its expiry.
fn expired() -> Introspection {
    let mut known = known(&Secret::new("refresh.c1.g1")).unwrap();
    known.exp = Some(NumericDate::new(1000));
    known
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
    let records = log.snapshot().await.unwrap().records;
    records.iter().map(Revocation::selector).collect()
}

/// Makes an assertion or a proof with an invalid signature.
fn jws(claims: &Value) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": "ES256" })), part(claims))
}

async fn success() -> Server {
    Server::start(Does::Answer(Response::new(Full::default()))).await
}

#[tokio::test]
async fn credentials_are_forwarded_unchanged() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let assertion = jws(&json!({ "sub": "c1", "aud": ["https://as.example.com"] }));
    let jwt_bearer = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    for (authorization, credentials) in [
        // `c1:s`, a form-encoded secret, a raw secret, a secret with a colon.
        (Some("Basic YzE6cw=="), String::new()),
        (Some("Basic YzE6YSUyQmIlMjVj"), String::new()),
        (Some("Basic YzE6YStiIGMlZDpl"), String::new()),
        (Some("Basic YzE6cw=="), "client_id=c1".to_owned()),
        (None, "client_id=c1".to_owned()),
        (
            None,
            "client_id=c1&client_secret=a%2Bb+c%25d%3Ae".to_owned(),
        ),
        (None, "client_id=c%C3%A91&client_secret=%26%3D".to_owned()),
        (
            None,
            format!("client_id=c1&client_assertion_type={jwt_bearer}&client_assertion={assertion}"),
        ),
        (
            None,
            format!("client_assertion_type={jwt_bearer}&client_assertion={assertion}"),
        ),
    ] {
        let token = "token=refresh.c1.g1&token_type_hint=refresh_token";
        let mut request = form(format!("{token}&{credentials}"));
        if let Some(value) = authorization {
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let response = send(&backend, request).await;
        let seen = server.requests().pop().unwrap();
        let expected = [token, &*credentials].join("&");
        let expected = expected.trim_end_matches('&');
        assert_eq!(seen.body, expected, "{authorization:?} {credentials}");
        let sent = seen.headers.get(AUTHORIZATION);
        assert_eq!(sent.map(|field| field.to_str().unwrap()), authorization);
        assert_eq!(
            (seen.method, &*seen.path),
            (Method::POST, "/introspect?tenant=1")
        );
        assert!(
            matches!(response.status.as_u16(), 200 | 400),
            "{credentials}"
        );
    }
}

#[tokio::test]
async fn fields_of_an_attestation_are_forwarded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    let attestation = jws(&json!({ "sub": "c1" }));
    let proof = jws(&json!({ "aud": "https://as.example.com" }));
    let mut request = form(C1);
    let headers = request.headers_mut();
    headers.insert(Credentials::ATTESTATION, attestation.parse().unwrap());
    headers.insert(Credentials::ATTESTATION_POP, proof.parse().unwrap());
    assert_eq!(send(&backend, request).await.status, 200);
    let seen = server.requests().pop().unwrap();
    assert_eq!(seen.headers[Credentials::ATTESTATION], attestation);
    assert_eq!(seen.headers[Credentials::ATTESTATION_POP], proof);
    assert_eq!(recorded(&log).await, [token_selector("refresh.c1.g1")]);
}

#[tokio::test]
async fn proof_for_another_audience_is_refused_and_not_forwarded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    let jwt_bearer = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    for claims in [
        json!({ "sub": "c1", "aud": "https://gateway.example.com" }),
        json!({ "sub": "c1", "aud": "https://as.example.com/" }),
        json!({ "sub": "c1", "aud": ["https://gateway.example.com", "HTTPS://as.example.com"] }),
        json!({ "sub": "c1", "aud": 1 }),
        json!({ "sub": "c1" }),
    ] {
        let proof = jws(&claims);
        let assertion = form(format!(
            "{C1}&client_assertion_type={jwt_bearer}&client_assertion={proof}"
        ));
        let mut attestation = form(C1);
        let headers = attestation.headers_mut();
        headers.insert(Credentials::ATTESTATION, proof.parse().unwrap());
        headers.insert(Credentials::ATTESTATION_POP, proof.parse().unwrap());
        for request in [assertion, attestation] {
            let response = send(&backend, request).await;
            assert_eq!(
                (response.status.as_u16(), &*response.error),
                (401, "invalid_client")
            );
        }
    }
    assert_eq!(server.asked(), 0);
    assert_eq!(recorded(&log).await, []);
}

#[tokio::test]
async fn error_about_the_request_is_passed_on_and_nothing_is_recorded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    for (status, body, expected) in [
        (
            400,
            r#"{"error":"invalid_request"}"#,
            (400, "invalid_request"),
        ),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"x"}"#,
            (400, "invalid_grant"),
        ),
        (400, r#"{"error":"invalid_token"}"#, (400, "invalid_grant")),
        (
            400,
            r#"{"error":"unsupported_token_type"}"#,
            (400, "unsupported_token_type"),
        ),
        (
            400,
            r#"{"error":"unauthorized_client"}"#,
            (400, "unauthorized_client"),
        ),
        (403, r#"{"error":"access_denied"}"#, (400, "access_denied")),
        (
            400,
            r#"{"error":"invalid_client"}"#,
            (401, "invalid_client"),
        ),
        (
            401,
            r#"{"error":"invalid_client"}"#,
            (401, "invalid_client"),
        ),
        (401, "<html>", (401, "invalid_client")),
        (
            403,
            r#"{"error":"invalid_client"}"#,
            (401, "invalid_client"),
        ),
        (400, "", (400, "invalid_request")),
        (400, r#"{"error":"unknown_code"}"#, (400, "invalid_request")),
        (400, r#"{"error":1}"#, (400, "invalid_request")),
    ] {
        let mut response = json(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        server.does(Does::Answer(response));
        for response in [
            send(&backend, form(C1)).await,
            send_verified(&backend, form(C1)).await,
        ] {
            let received = (response.status.as_u16(), &*response.error);
            assert_eq!(received, expected, "{status} {body}");
        }
    }
    assert_eq!(recorded(&log).await, []);
}

#[tokio::test]
async fn error_about_the_other_server_is_503_and_nothing_is_recorded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    let mut busy = with_status(429);
    busy.headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("17"));
    let mut moved = with_status(307);
    moved
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_static("/elsewhere"));
    for (does, retry_after) in [
        (Does::Answer(busy), "17"),
        (Does::Answer(with_status(500)), "1"),
        (Does::Answer(with_status(502)), "1"),
        (Does::Answer(with_status(503)), "1"),
        (Does::Answer(moved), "1"),
        (Does::Answer(with_status(404)), "1"),
        (Does::Answer(with_status(405)), "1"),
        // The server may revoke the token later, or never.
        (Does::Answer(with_status(202)), "1"),
        (Does::Write(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), "1"),
        (Does::Write(Vec::new()), "1"),
    ] {
        server.does(does);
        for response in [
            send(&backend, form(C1)).await,
            send_verified(&backend, form(C1)).await,
        ] {
            assert_eq!(response.status, 503);
            assert_eq!(response.error, "temporarily_unavailable");
            assert_eq!(response.retry_after.unwrap(), retry_after);
        }
    }
    let impatient = backend.clone().timeout(Duration::from_millis(50));
    let half = b"HTTP/1.1 200 OK\r\ncontent-le".to_vec();
    for does in [Does::Stall, Does::WriteAndStall(half)] {
        server.does(does);
        assert_eq!(send(&impatient, form(C1)).await.status, 503);
    }
    server.stop().await;
    assert_eq!(send(&backend, form(C1)).await.status, 503);
    assert_eq!(recorded(&log).await, []);
}

#[tokio::test]
async fn request_is_sent_once_even_if_the_connection_breaks() {
    let server = success().await;
    let (backend, _) = forward(&server);
    server.does(Does::AnswerOnce(Response::new(Full::default())));
    for times in 1..4 {
        assert_eq!(send(&backend, form(C1)).await.status, 200);
        assert_eq!(server.asked(), times);
    }
}

/// Some servers respond with 200 for the token of another client, or to every request.
#[tokio::test]
async fn success_of_the_other_server_records_only_the_token_of_an_unverified_client() {
    let server = success().await;
    let (backend, log) = forward(&server);
    assert_eq!(send(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log).await, [token_selector("refresh.c1.g1")]);

    let (backend, log) = forward(&server);
    assert_eq!(send_verified(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log).await, [Selector::grant("g1")]);
}

#[tokio::test]
async fn second_introspection_decides_what_is_recorded() {
    let server = success().await;
    for (second, expected, records) in [
        (
            Ok(Introspected::Unrecognised(Reason::Unrecognised)),
            200,
            vec![Selector::grant("g1")],
        ),
        (Ok(expired().into()), 200, vec![Selector::grant("g1")]),
        // The revocation had no effect, although the server reported success.
        (
            Ok(known(&Secret::new("refresh.c1.g1")).unwrap().into()),
            503,
            vec![],
        ),
        // The introspection still knows the token, and says that it is dead.
        (
            Ok(revoked("refresh.c1.g1")),
            200,
            vec![Selector::grant("g1")],
        ),
        (Err("down"), 503, vec![token_selector("refresh.c1.g1")]),
    ] {
        let (backend, log) = forward(&server);
        let backend = backend.confirm_by(service_fn(move |_: Secret| {
            ready(second.clone().map_err(BoxError::from))
        }));
        assert_eq!(send(&backend, form(C1)).await.status, expected);
        assert_eq!(recorded(&log).await, records);
    }
}

fn revoked(token: &str) -> Introspected {
    let mut token = known(&Secret::new(token)).unwrap();
    token.revoked = true;
    token.into()
}

/// If the client is verified, the rest of the grant is recorded. An unverified client learns nothing
/// and changes nothing.
#[tokio::test]
async fn token_that_is_already_revoked_is_not_recorded_again() {
    let server = success().await;
    let log = MemoryLog::new();
    let introspect = service_fn(|token: Secret| {
        let known = known(&token).map(|_| revoked(token.expose()));
        ready(Ok::<_, BoxError>(known.unwrap_or(None.into())))
    });
    let backend = ForwardRevocation::new(
        &server.uri(),
        RecordRevocation::new(introspect, log.clone()),
    )
    .unwrap();
    assert_eq!(send(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log).await, []);
    let of_another = "client_id=c2&token=refresh.c1.g1";
    assert_eq!(
        send(&backend, form(of_another)).await.error,
        "invalid_grant"
    );
    assert_eq!(send_verified(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log).await, [Selector::grant("g1")]);
}

#[tokio::test]
async fn token_of_another_client_is_invalid_grant_and_is_not_recorded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    let of_another = "client_id=c2&token=refresh.c1.g1";
    let response = send_verified(&backend, form(of_another)).await;
    assert_eq!(
        (response.status.as_u16(), &*response.error),
        (400, "invalid_grant")
    );
    assert_eq!(server.asked(), 0);

    // For an unverified client, the other server decides first.
    server.does(Does::Answer(with_status(401)));
    assert_eq!(send(&backend, form(of_another)).await.status, 401);
    server.does(Does::Answer(Response::new(Full::default())));
    let response = send(&backend, form(of_another)).await;
    assert_eq!(
        (response.status.as_u16(), &*response.error),
        (400, "invalid_grant")
    );
    assert_eq!(recorded(&log).await, []);
}

#[tokio::test]
async fn request_without_a_client_is_refused_and_not_forwarded() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let response = send(&backend, form("token=refresh.c1.g1")).await;
    assert_eq!(
        (response.status.as_u16(), &*response.error),
        (401, "invalid_client")
    );
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn failed_introspection_is_503_and_nothing_is_forwarded() {
    let server = success().await;
    let down =
        service_fn(async |_: Secret| Err::<Option<Introspection>, _>(BoxError::from("down")));
    let record = RecordRevocation::new(down, MemoryLog::new());
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    assert_eq!(send(&backend, form(C1)).await.status, 503);
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn token_without_a_selector_is_forwarded_and_not_recorded() {
    let server = success().await;
    let nameless = service_fn(async |_: Secret| {
        Ok::<_, BoxError>(Some(Introspection::new(TokenKind::AccessToken, "c1")))
    });
    let log = MemoryLog::new();
    let record = RecordRevocation::new(nameless, log.clone());
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    assert_eq!(send(&backend, form(C1)).await.status, 200);
    assert_eq!(server.asked(), 1);
    assert_eq!(recorded(&log).await, []);
}

/// A log that fails until it recovers.
#[derive(Clone)]
struct Failing {
    log: MemoryLog,
    fails: Arc<AtomicBool>,
    /// Whether its health reports the failure.
    reports: bool,
}

impl Failing {
    fn new(reports: bool) -> Self {
        Self {
            log: MemoryLog::new(),
            fails: Arc::new(AtomicBool::new(true)),
            reports,
        }
    }

    fn recover(&self) {
        self.fails.store(false, Ordering::SeqCst);
    }
}

impl RevocationLog for Failing {
    async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(LogError::new(LogErrorKind::Closed));
        }
        self.log.append(batch).await
    }

    async fn snapshot(&self) -> Result<Snapshot, LogError> {
        self.log.snapshot().await
    }

    async fn tail(&self, after: Position, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        self.log.tail(after, reader).await
    }

    fn durability(&self) -> Durability {
        self.log.durability()
    }

    fn health(&self) -> LogHealth {
        if self.reports && self.fails.load(Ordering::SeqCst) {
            let now = Instant::now();
            let next = now + Duration::from_secs(7);
            return LogHealth::failing(LogError::new(LogErrorKind::Storage), now, next);
        }
        LogHealth::writable()
    }
}

/// Behaves like an introspection endpoint: it does not know the token after its revocation.
fn forgetful(
    server: &Arc<Server>,
) -> impl Clone
+ Send
+ Service<Secret, Response = Option<Introspection>, Error = BoxError, Future: Send>
+ use<> {
    let server = Arc::clone(server);
    service_fn(move |token: Secret| {
        let is_revoked = server.asked() > 0;
        ready(Ok(known(&token).filter(|_| !is_revoked)))
    })
}

#[tokio::test]
async fn nothing_is_forwarded_while_the_log_cannot_be_written() {
    let server = success().await;
    let log = Failing::new(true);
    let record = RecordRevocation::new(introspect(), log.clone());
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    let response = send(&backend, form(C1)).await;
    assert_eq!(response.status, 503);
    assert_eq!(response.retry_after.unwrap(), "7");
    assert_eq!(server.asked(), 0);
    log.recover();
    assert_eq!(send(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log.log).await, [token_selector("refresh.c1.g1")]);
}

/// At the retry no introspection knows the token any more, so success must wait for the record.
#[tokio::test]
async fn failed_record_is_503_and_success_waits_until_it_is_durable() {
    let server = Arc::new(success().await);
    let log = Failing::new(false);
    let record = RecordRevocation::new(forgetful(&server), log.clone());
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    assert_eq!(send(&backend, form(C1)).await.status, 503);
    assert_eq!(recorded(&log.log).await, []);

    let mut retry = Box::pin(send(&backend, form(C1)));
    assert!(retry.as_mut().now_or_never().is_none());
    log.recover();
    assert_eq!(retry.await.status, 200);
    assert_eq!(recorded(&log.log).await, [token_selector("refresh.c1.g1")]);
}

#[tokio::test]
async fn second_introspection_is_tried_again_until_it_succeeds() {
    let server = Arc::new(success().await);
    let log = MemoryLog::new();
    let record = RecordRevocation::new(forgetful(&server), log.clone());
    let down = Arc::new(AtomicBool::new(true));
    let is_down = Arc::clone(&down);
    let second = service_fn(move |_: Secret| {
        ready(if is_down.load(Ordering::SeqCst) {
            Err(BoxError::from("down"))
        } else {
            Ok(None::<Introspection>)
        })
    });
    let backend = ForwardRevocation::new(&server.uri(), record)
        .unwrap()
        .confirm_by(second);
    assert_eq!(send(&backend, form(C1)).await.status, 503);
    assert_eq!(recorded(&log).await, [token_selector("refresh.c1.g1")]);
    down.store(false, Ordering::SeqCst);
    assert_eq!(send(&backend, form(C1)).await.status, 200);
    assert!(recorded(&log).await.contains(&Selector::grant("g1")));
}

#[tokio::test]
async fn request_beyond_the_quota_is_not_forwarded() {
    let server = success().await;
    let log = MemoryLog::new();
    let record = RecordRevocation::new(introspect(), log.clone()).quota(1);
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    assert_eq!(send_verified(&backend, form(C1)).await.status, 200);
    let second = "client_id=c1&token=refresh.c1.g2";
    assert_eq!(send_verified(&backend, form(second)).await.status, 503);
    assert_eq!(server.asked(), 1);
    let other = "client_id=c2&token=refresh.c2.g3";
    assert_eq!(send_verified(&backend, form(other)).await.status, 200);
}

#[tokio::test]
async fn requests_of_disconnected_clients_count_towards_the_limit() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let backend = backend.concurrency(3);
    server.hold();
    for grant in 0..3 {
        let form = form(format!("client_id=c1&token=refresh.c1.{grant}"));
        let mut request = Box::pin(send(&backend, form));
        assert!(request.as_mut().now_or_never().is_none());
        server.has_been_asked(grant + 1).await;
    }
    let response = send(&backend, form(C1)).await;
    assert_eq!(response.status, 503);
    assert_eq!(response.retry_after.unwrap(), "1");
    assert_eq!(server.asked(), 3);
    server.permit(4);
    while send(&backend, form(C1)).await.status == 503 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.asked(), 4);
}

#[tokio::test]
async fn success_status_with_an_error_in_the_body_is_an_error() {
    let server = success().await;
    let (backend, log) = forward(&server);
    for (body, expected) in [
        (
            r#"{"error":"unsupported_token_type"}"#,
            (400, "unsupported_token_type"),
        ),
        (r#"{"error":"invalid_client"}"#, (401, "invalid_client")),
        (
            r#"{"error":"server_error"}"#,
            (503, "temporarily_unavailable"),
        ),
    ] {
        server.does(Does::Answer(json(body)));
        let response = send(&backend, form(C1)).await;
        assert_eq!((response.status.as_u16(), &*response.error), expected);
    }
    assert_eq!(recorded(&log).await, []);
    for body in ["{}", r#"{"revoked":true}"#, "ok", ""] {
        server.does(Does::Answer(json(body)));
        assert_eq!(send(&backend, form(C1)).await.status, 200, "{body}");
    }
}

#[tokio::test]
async fn revocation_is_recorded_after_the_client_has_disconnected() {
    let server = success().await;
    let (backend, log) = forward(&server);
    server.hold();
    let mut request = Box::pin(send(&backend, form(C1)));
    assert!(request.as_mut().now_or_never().is_none());
    server.has_been_asked(1).await;
    drop(request);
    server.permit(1);
    while recorded(&log).await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn results_of_forwarding_are_counted() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let server = success().await;
            let (backend, log) = forward(&server);
            let response = send(&backend, form("client_id=c1&token=opaque")).await;
            assert_eq!(response.status, 200);
            assert_eq!(recorded(&log).await, []);
            assert_eq!(send(&backend, form(C1)).await.status, 200);
            assert_eq!(send_verified(&backend, form(C1)).await.status, 200);
            server.does(Does::Answer(with_status(500)));
            assert_eq!(send(&backend, form(C1)).await.status, 503);
            server.does(Does::Answer(with_status(400)));
            assert_eq!(send(&backend, form(C1)).await.status, 400);
        });
    });
    let mut counts: Vec<(String, u64)> = Vec::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let key = key.key();
        if key.name() == "tower_revocation_forwarded_total" {
            let DebugValue::Counter(count) = value else {
                panic!("not a counter")
            };
            let labels: Vec<_> = key.labels().map(|label| label.value().to_owned()).collect();
            counts.push((labels.join(","), count));
        }
    }
    counts.sort();
    let expected = ["failed", "recorded", "refused", "token_only", "unlinked"];
    assert_eq!(counts, expected.map(|result| (result.to_owned(), 1)));
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
async fn no_secret_is_printed() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let authenticate = UnverifiedClients::new();
    let head = Request::post("/").body(()).unwrap().into_parts().0;
    let body = b"client_id=c1&client_secret=s3cr3t";
    let request = Credentials::from_request(head, body).unwrap();
    let client = authenticate.oneshot(request).await.unwrap().unwrap();
    assert!(!format!("{client:?} {backend:?}").contains("s3cr3t"));
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
