//! Revocations that another server carries out, and what is recorded of them here.

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

/// `refresh.CLIENT.GRANT` is a refresh token of this client, and everything else is unknown.
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

/// The same token for one who keeps it after its end.
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

/// A backend that forwards to this server, and the log that it records in.
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

struct Answer {
    status: StatusCode,
    retry_after: Option<HeaderValue>,
    error: String,
}

/// What a client hears of clients that nobody but the other server verifies.
async fn ask<I, L>(backend: &ForwardRevocation<I, L>, request: Request<Full<Bytes>>) -> Answer
where
    I: Service<Secret, Response: Into<Introspected>> + Clone + Send + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send,
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    let layer = RevocationLayer::new("/revoke", UnverifiedClients::new(), backend.clone());
    answer(layer.into_endpoint().oneshot(request).await.unwrap()).await
}

/// The same, of a client that was verified here.
async fn ask_verified<I, L>(
    backend: &ForwardRevocation<I, L>,
    request: Request<Full<Bytes>>,
) -> Answer
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
    answer(layer.into_endpoint().oneshot(request).await.unwrap()).await
}

async fn answer<B>(response: Response<B>) -> Answer
where
    B: hyper::body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    Answer {
        status: head.status,
        retry_after: head.headers.get(RETRY_AFTER).cloned(),
        error: json["error"].as_str().unwrap_or_default().to_owned(),
    }
}

async fn recorded(log: &MemoryLog) -> Vec<Selector> {
    let records = log.snapshot().await.unwrap().records;
    records.iter().map(Revocation::selector).collect()
}

/// An assertion or a proof, which is signed by nobody.
fn jws(claims: &Value) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": "ES256" })), part(claims))
}

async fn success() -> Server {
    Server::start(Does::Answer(Response::new(Full::default()))).await
}

#[tokio::test]
async fn credentials_are_forwarded_as_they_were_presented() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let assertion = jws(&json!({ "sub": "c1", "aud": ["https://as.example.com"] }));
    let jwt_bearer = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    for (authorization, credentials) in [
        // `c1:s`, one that is form-encoded in the field, one that is raw, one with a colon.
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
        let answer = ask(&backend, request).await;
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
        assert!(matches!(answer.status.as_u16(), 200 | 400), "{credentials}");
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
    assert_eq!(ask(&backend, request).await.status, 200);
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
            let answer = ask(&backend, request).await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.error),
                (401, "invalid_client")
            );
        }
    }
    assert_eq!(server.asked(), 0);
    assert_eq!(recorded(&log).await, []);
}

#[tokio::test]
async fn what_the_other_server_says_about_the_request_is_passed_on_and_nothing_is_recorded() {
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
        (
            400,
            r#"{"error":"of_another_world"}"#,
            (400, "invalid_request"),
        ),
        (400, r#"{"error":1}"#, (400, "invalid_request")),
    ] {
        let mut response = json(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        server.does(Does::Answer(response));
        for answer in [
            ask(&backend, form(C1)).await,
            ask_verified(&backend, form(C1)).await,
        ] {
            let told = (answer.status.as_u16(), &*answer.error);
            assert_eq!(told, expected, "{status} {body}");
        }
    }
    assert_eq!(recorded(&log).await, []);
}

#[tokio::test]
async fn what_the_other_server_says_about_itself_is_503_and_nothing_is_recorded() {
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
        // It may be done later, or never.
        (Does::Answer(with_status(202)), "1"),
        (Does::Write(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), "1"),
        (Does::Write(Vec::new()), "1"),
    ] {
        server.does(does);
        for answer in [
            ask(&backend, form(C1)).await,
            ask_verified(&backend, form(C1)).await,
        ] {
            assert_eq!(answer.status, 503);
            assert_eq!(answer.error, "temporarily_unavailable");
            assert_eq!(answer.retry_after.unwrap(), retry_after);
        }
    }
    let hasty = backend.clone().timeout(Duration::from_millis(50));
    let half = b"HTTP/1.1 200 OK\r\ncontent-le".to_vec();
    for does in [Does::Stall, Does::WriteAndStall(half)] {
        server.does(does);
        assert_eq!(ask(&hasty, form(C1)).await.status, 503);
    }
    server.stop().await;
    assert_eq!(ask(&backend, form(C1)).await.status, 503);
    assert_eq!(recorded(&log).await, []);
}

#[tokio::test]
async fn request_is_sent_once_also_over_a_connection_that_dies() {
    let server = success().await;
    let (backend, _) = forward(&server);
    server.does(Does::AnswerOnce(Response::new(Full::default())));
    for times in 1..4 {
        assert_eq!(ask(&backend, form(C1)).await.status, 200);
        assert_eq!(server.asked(), times);
    }
}

/// Some servers answer 200 for the token of another client, or to anybody.
#[tokio::test]
async fn success_elsewhere_proves_no_ownership_so_the_token_alone_is_recorded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    assert_eq!(ask(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log).await, [token_selector("refresh.c1.g1")]);

    let (backend, log) = forward(&server);
    assert_eq!(ask_verified(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log).await, [Selector::grant("g1")]);
}

#[tokio::test]
async fn second_introspection_decides_what_falls_with_the_token() {
    let server = success().await;
    for (second, expected, records) in [
        (
            Ok(Introspected::Unrecognised(Reason::Unrecognised)),
            200,
            vec![Selector::grant("g1")],
        ),
        (Ok(expired().into()), 200, vec![Selector::grant("g1")]),
        // It has no effect, whatever the server has said.
        (
            Ok(known(&Secret::new("refresh.c1.g1")).unwrap().into()),
            503,
            vec![],
        ),
        // It is known, and said to be dead.
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
        assert_eq!(ask(&backend, form(C1)).await.status, expected);
        assert_eq!(recorded(&log).await, records);
    }
}

fn revoked(token: &str) -> Introspected {
    let mut token = known(&Secret::new(token)).unwrap();
    token.revoked = true;
    token.into()
}

/// Its family falls if its owner is known, and a client that nobody has authenticated learns and
/// changes nothing.
#[tokio::test]
async fn token_that_its_introspection_holds_revoked_is_not_recorded_again() {
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
    assert_eq!(ask(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log).await, []);
    let theirs = "client_id=c2&token=refresh.c1.g1";
    assert_eq!(ask(&backend, form(theirs)).await.error, "invalid_grant");
    assert_eq!(ask_verified(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log).await, [Selector::grant("g1")]);
}

#[tokio::test]
async fn token_of_another_client_is_invalid_grant_and_is_not_recorded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    let theirs = "client_id=c2&token=refresh.c1.g1";
    let answer = ask_verified(&backend, form(theirs)).await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.error),
        (400, "invalid_grant")
    );
    assert_eq!(server.asked(), 0);

    // Who has proven nothing yet hears what the other server says first.
    server.does(Does::Answer(with_status(401)));
    assert_eq!(ask(&backend, form(theirs)).await.status, 401);
    server.does(Does::Answer(Response::new(Full::default())));
    let answer = ask(&backend, form(theirs)).await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.error),
        (400, "invalid_grant")
    );
    assert_eq!(recorded(&log).await, []);
}

#[tokio::test]
async fn request_that_names_no_client_is_refused_and_not_forwarded() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let answer = ask(&backend, form("token=refresh.c1.g1")).await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.error),
        (401, "invalid_client")
    );
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn introspection_that_is_down_is_503_and_nothing_is_forwarded() {
    let server = success().await;
    let down =
        service_fn(async |_: Secret| Err::<Option<Introspection>, _>(BoxError::from("down")));
    let record = RecordRevocation::new(down, MemoryLog::new());
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    assert_eq!(ask(&backend, form(C1)).await.status, 503);
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn token_that_nothing_names_is_forwarded_and_cannot_be_recorded() {
    let server = success().await;
    let nameless = service_fn(async |_: Secret| {
        Ok::<_, BoxError>(Some(Introspection::new(TokenKind::AccessToken, "c1")))
    });
    let log = MemoryLog::new();
    let record = RecordRevocation::new(nameless, log.clone());
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    assert_eq!(ask(&backend, form(C1)).await.status, 200);
    assert_eq!(server.asked(), 1);
    assert_eq!(recorded(&log).await, []);
}

/// A log that fails while it is told to.
#[derive(Clone)]
struct Failing {
    log: MemoryLog,
    fails: Arc<AtomicBool>,
    says_so: bool,
}

impl Failing {
    fn new(says_so: bool) -> Self {
        Self {
            log: MemoryLog::new(),
            fails: Arc::new(AtomicBool::new(true)),
            says_so,
        }
    }

    fn recovers(&self) {
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
        if self.says_so && self.fails.load(Ordering::SeqCst) {
            let now = Instant::now();
            let next = now + Duration::from_secs(7);
            return LogHealth::failing(LogError::new(LogErrorKind::Storage), now, next);
        }
        LogHealth::writable()
    }
}

/// As an introspection endpoint does: once the server has revoked, it knows nothing of the token.
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
    let answer = ask(&backend, form(C1)).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.retry_after.unwrap(), "7");
    assert_eq!(server.asked(), 0);
    log.recovers();
    assert_eq!(ask(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log.log).await, [token_selector("refresh.c1.g1")]);
}

/// The retry finds a token that nothing knows any more: success must wait for the record.
#[tokio::test]
async fn record_that_fails_is_503_and_success_waits_until_it_is_durable() {
    let server = Arc::new(success().await);
    let log = Failing::new(false);
    let record = RecordRevocation::new(forgetful(&server), log.clone());
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    assert_eq!(ask(&backend, form(C1)).await.status, 503);
    assert_eq!(recorded(&log.log).await, []);

    let mut retry = Box::pin(ask(&backend, form(C1)));
    assert!(retry.as_mut().now_or_never().is_none());
    log.recovers();
    assert_eq!(retry.await.status, 200);
    assert_eq!(recorded(&log.log).await, [token_selector("refresh.c1.g1")]);
}

#[tokio::test]
async fn second_introspection_is_asked_again_until_it_can_say() {
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
    assert_eq!(ask(&backend, form(C1)).await.status, 503);
    assert_eq!(recorded(&log).await, [token_selector("refresh.c1.g1")]);
    down.store(false, Ordering::SeqCst);
    assert_eq!(ask(&backend, form(C1)).await.status, 200);
    assert!(recorded(&log).await.contains(&Selector::grant("g1")));
}

#[tokio::test]
async fn client_that_has_used_up_its_quota_is_not_forwarded() {
    let server = success().await;
    let log = MemoryLog::new();
    let record = RecordRevocation::new(introspect(), log.clone()).quota(1);
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    assert_eq!(ask_verified(&backend, form(C1)).await.status, 200);
    let second = "client_id=c1&token=refresh.c1.g2";
    assert_eq!(ask_verified(&backend, form(second)).await.status, 503);
    assert_eq!(server.asked(), 1);
    let other = "client_id=c2&token=refresh.c2.g3";
    assert_eq!(ask_verified(&backend, form(other)).await.status, 200);
}

#[tokio::test]
async fn requests_whose_client_has_gone_count_against_the_limit() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let backend = backend.concurrency(3);
    server.hold();
    for grant in 0..3 {
        let form = form(format!("client_id=c1&token=refresh.c1.{grant}"));
        let mut asking = Box::pin(ask(&backend, form));
        assert!(asking.as_mut().now_or_never().is_none());
        server.has_been_asked(grant + 1).await;
    }
    let answer = ask(&backend, form(C1)).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.retry_after.unwrap(), "1");
    assert_eq!(server.asked(), 3);
    server.permit(4);
    while ask(&backend, form(C1)).await.status == 503 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.asked(), 4);
}

#[tokio::test]
async fn success_with_an_error_in_it_is_an_error() {
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
        let answer = ask(&backend, form(C1)).await;
        assert_eq!((answer.status.as_u16(), &*answer.error), expected);
    }
    assert_eq!(recorded(&log).await, []);
    for body in ["{}", r#"{"revoked":true}"#, "ok", ""] {
        server.does(Does::Answer(json(body)));
        assert_eq!(ask(&backend, form(C1)).await.status, 200, "{body}");
    }
}

#[tokio::test]
async fn what_was_revoked_elsewhere_is_recorded_although_the_client_went_away() {
    let server = success().await;
    let (backend, log) = forward(&server);
    server.hold();
    let mut asking = Box::pin(ask(&backend, form(C1)));
    assert!(asking.as_mut().now_or_never().is_none());
    server.has_been_asked(1).await;
    drop(asking);
    server.permit(1);
    while recorded(&log).await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn what_is_not_linked_is_success_elsewhere_and_a_count_here() {
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
            let answer = ask(&backend, form("client_id=c1&token=opaque")).await;
            assert_eq!(answer.status, 200);
            assert_eq!(recorded(&log).await, []);
            assert_eq!(ask(&backend, form(C1)).await.status, 200);
            assert_eq!(ask_verified(&backend, form(C1)).await.status, 200);
            server.does(Does::Answer(with_status(500)));
            assert_eq!(ask(&backend, form(C1)).await.status, 503);
            server.does(Does::Answer(with_status(400)));
            assert_eq!(ask(&backend, form(C1)).await.status, 400);
        });
    });
    let mut counts: Vec<(String, u64)> = Vec::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let key = key.key();
        if key.name() == "tower_revocation_forwarded_total" {
            let DebugValue::Counter(count) = value else {
                panic!("it is a counter")
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
async fn uri_that_is_not_https_is_refused_where_it_is_configured() {
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
        let told = error.to_string();
        assert!(told.starts_with("invalid configuration: "), "{told}");
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

/// The layer passes every other request through.
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
