//! Too many failures of one client at one address get 429. Nobody else does.

use std::{
    fmt,
    future::{pending, poll_fn},
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt as _, executor::block_on, future::join_all};
use http_body_util::{Empty, Full};
use hyper::{Request, Response, StatusCode};
use tower::{BoxError, Layer as _, Service, ServiceExt as _, service_fn};
use tower_revocation::{
    Error, ErrorKind, Outcome, RevocationLayer, RevocationRequest, Secret,
    client::{
        AuthMethod, Credentials, PeerAddr, SecretDigest,
        limit::{LimitFailures, LimitFailuresLayer},
        registry::{Client, ClientAuthenticator, Registry},
    },
};
use tower_test::mock;

const ATTACKER: &str = "192.0.2.66:4000";
const VICTIM: &str = "198.51.100.7:4000";

/// `s6BhdRkqt3` / `gX1fBat3bV`, and the same client with another secret.
const RIGHT: &str = "client_id=s6BhdRkqt3&client_secret=gX1fBat3bV&token=t";
const WRONG: &str = "client_id=s6BhdRkqt3&client_secret=guess&token=t";

type Registered = LimitFailures<ClientAuthenticator<Registry>>;

fn registered(limit: &LimitFailuresLayer) -> Registered {
    let digest = SecretDigest::sha256(&Secret::new("gX1fBat3bV"));
    let client = Client::builder("s6BhdRkqt3")
        .secret(digest)
        .auth_methods([AuthMethod::ClientSecretPost])
        .build();
    limit.layer(ClientAuthenticator::new(Registry::from_iter([client])))
}

/// One revocation through the layer: its status, and `Retry-After`.
async fn revoke(
    authenticator: &Registered,
    peer: Option<&str>,
    body: &'static str,
) -> (StatusCode, Option<u64>) {
    let backend =
        service_fn(async |_: RevocationRequest<Arc<Client>>| Ok::<_, BoxError>(Outcome::Revoked));
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
    });
    let service = RevocationLayer::new("/revoke", authenticator.clone(), backend).layer(inner);
    let mut request = Request::post("/revoke")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(body))
        .unwrap();
    if let Some(peer) = peer {
        request.extensions_mut().insert(address(peer));
    }
    let response = service.oneshot(request).await.unwrap();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|seconds| seconds.to_str().unwrap().parse().unwrap());
    (response.status(), retry_after)
}

fn address(peer: &str) -> PeerAddr {
    PeerAddr(peer.parse::<SocketAddr>().unwrap())
}

fn from(peer: &str, credentials: Credentials) -> Request<Credentials> {
    let mut request = Request::new(credentials);
    request.extensions_mut().insert(address(peer));
    request
}

fn claim(client_id: &str) -> Request<Credentials> {
    let client_id = client_id.to_owned();
    from(ATTACKER, Credentials::ClientId { client_id })
}

fn kind(error: &BoxError) -> Option<ErrorKind> {
    error.downcast_ref().map(Error::kind)
}

/// An authenticator with a constant result, and the number of its calls.
fn always<T, F>(response: F) -> (impl Authenticator, Arc<AtomicUsize>)
where
    F: Fn() -> Result<Option<T>, BoxError> + Clone + Send + 'static,
    T: Send + 'static,
{
    let asked = Arc::<AtomicUsize>::default();
    let count = asked.clone();
    let authenticator = service_fn(move |_: Request<Credentials>| {
        count.fetch_add(1, Ordering::SeqCst);
        let response = response().map(|client| client.map(drop));
        async { response }
    });
    (LimitFailuresLayer::new().layer(authenticator), asked)
}

trait Authenticator:
    Service<Request<Credentials>, Response = Option<()>, Error = BoxError> + Clone
{
}

impl<A> Authenticator for A where
    A: Service<Request<Credentials>, Response = Option<()>, Error = BoxError> + Clone
{
}

#[tokio::test]
async fn wrong_secrets_lock_out_only_their_own_address() {
    let authenticator = registered(&LimitFailuresLayer::new());
    for attempt in 0..20 {
        let (status, retry_after) = revoke(&authenticator, Some(ATTACKER), WRONG).await;
        if attempt < 10 {
            assert_eq!(
                (status.as_u16(), retry_after),
                (401, None),
                "attempt {attempt}"
            );
        } else {
            assert_eq!(status, 429, "attempt {attempt}");
            assert!((1..=60).contains(&retry_after.unwrap()), "{retry_after:?}");
        }
    }
    // Not even with the correct secret, nor from another port.
    assert_eq!(revoke(&authenticator, Some(ATTACKER), RIGHT).await.0, 429);
    assert_eq!(
        revoke(&authenticator, Some("192.0.2.66:4001"), RIGHT)
            .await
            .0,
        429
    );
    assert_eq!(revoke(&authenticator, Some(VICTIM), RIGHT).await.0, 200);
}

#[tokio::test]
async fn request_without_an_address_is_not_limited() {
    let authenticator = registered(&LimitFailuresLayer::new());
    for _ in 0..20 {
        assert_eq!(revoke(&authenticator, None, WRONG).await.0, 401);
    }
    assert_eq!(revoke(&authenticator, None, RIGHT).await.0, 200);
}

#[tokio::test]
async fn success_clears_earlier_failures() {
    let authenticator = registered(&LimitFailuresLayer::new());
    for _ in 0..5 {
        for _ in 0..9 {
            assert_eq!(revoke(&authenticator, Some(VICTIM), WRONG).await.0, 401);
        }
        assert_eq!(revoke(&authenticator, Some(VICTIM), RIGHT).await.0, 200);
    }
}

#[tokio::test]
async fn services_of_one_layer_count_together() {
    let limit = LimitFailuresLayer::new().failures(2);
    let (tokens, revocations) = (registered(&limit), registered(&limit.clone()));
    assert_eq!(revoke(&tokens, Some(ATTACKER), WRONG).await.0, 401);
    assert_eq!(revoke(&revocations, Some(ATTACKER), WRONG).await.0, 401);
    assert_eq!(revoke(&tokens, Some(ATTACKER), WRONG).await.0, 429);
    assert_eq!(revoke(&revocations, Some(ATTACKER), WRONG).await.0, 429);

    let another = registered(&LimitFailuresLayer::new());
    assert_eq!(revoke(&another, Some(ATTACKER), WRONG).await.0, 401);
}

#[tokio::test]
async fn concurrent_guesses_are_as_limited_as_sequential_ones() {
    let asked = AtomicUsize::new(0);
    let (open, opened) = tokio::sync::watch::channel(false);
    let authenticator = service_fn(|_: Request<Credentials>| {
        asked.fetch_add(1, Ordering::SeqCst);
        let mut opened = opened.clone();
        async move {
            opened.wait_for(|opened| *opened).await?;
            Ok::<Option<()>, BoxError>(None)
        }
    });
    let limited = LimitFailuresLayer::new().layer(authenticator);
    let guesses = join_all((0..1000).map(|_| limited.clone().oneshot(claim("s6BhdRkqt3"))));
    let mut guesses = pin!(guesses);
    // All of them begin before the first one ends.
    poll_fn(|cx| {
        assert!(guesses.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    open.send(true).unwrap();

    let responses = guesses.await;
    assert_eq!(asked.load(Ordering::SeqCst), 10);
    assert_eq!(
        responses
            .iter()
            .filter(|response| matches!(response, Ok(None)))
            .count(),
        10
    );
    for error in responses.into_iter().filter_map(Result::err) {
        let error: Box<Error> = error.downcast().unwrap();
        assert_eq!(error.kind(), ErrorKind::TooManyRequests);
        // The other attempts may succeed.
        assert!(error.retry_delay().unwrap() <= Duration::from_secs(1));
    }
    limited.oneshot(claim("s6BhdRkqt3")).await.unwrap_err();
    assert_eq!(asked.load(Ordering::SeqCst), 10);
}

#[test]
fn cancelled_attempt_counts_as_a_failure() {
    let stalled = service_fn(|_: Request<Credentials>| pending::<Result<Option<()>, BoxError>>());
    let limited = LimitFailuresLayer::new().layer(stalled);
    for _ in 0..10 {
        let attempt = limited.clone().oneshot(claim("s6BhdRkqt3"));
        assert!(attempt.now_or_never().is_none());
    }
    let response = limited.oneshot(claim("s6BhdRkqt3")).now_or_never();
    let error = response.expect("a refusal does not wait").unwrap_err();
    let error: Box<Error> = error.downcast().unwrap();
    assert!(error.retry_delay().unwrap() > Duration::from_secs(1));
}

#[test]
fn attempt_is_settled_when_it_completes_even_if_its_future_is_kept() {
    let (limited, asked) = always(|| Ok(Some(())));
    let mut kept = Vec::new();
    for _ in 0..50 {
        let mut attempt = Box::pin(limited.clone().oneshot(claim("s6BhdRkqt3")));
        block_on(attempt.as_mut()).unwrap().unwrap();
        kept.push(attempt);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 50);
}

#[test]
fn unknown_results_do_not_count() {
    let errors: [fn() -> BoxError; 3] = [
        || "the database is down".into(),
        || Error::new(ErrorKind::Unavailable).into(),
        || Error::new(ErrorKind::InvalidRequest).into(),
    ];
    for error in errors {
        let (limited, asked) = always::<(), _>(move || Err(error()));
        for _ in 0..50 {
            let error = block_on(limited.clone().oneshot(claim("s6BhdRkqt3"))).unwrap_err();
            assert_ne!(kind(&error), Some(ErrorKind::TooManyRequests));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 50);
    }
}

/// An authenticator with its own error type.
#[derive(Debug)]
struct Wrapped(Error);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not authenticated")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn invalid_client_error_counts_as_a_failure() {
    let errors: [fn() -> BoxError; 2] = [
        || Error::new(ErrorKind::InvalidClient).into(),
        || Wrapped(Error::new(ErrorKind::InvalidClient)).into(),
    ];
    for error in errors {
        let (limited, asked) = always::<(), _>(move || Err(error()));
        for _ in 0..10 {
            let error = block_on(limited.clone().oneshot(claim("s6BhdRkqt3"))).unwrap_err();
            assert_ne!(kind(&error), Some(ErrorKind::TooManyRequests));
        }
        let error = block_on(limited.oneshot(claim("s6BhdRkqt3"))).unwrap_err();
        assert_eq!(kind(&error), Some(ErrorKind::TooManyRequests));
        assert_eq!(asked.load(Ordering::SeqCst), 10);
    }
}

#[test]
fn random_client_ids_do_not_reset_the_count_of_their_address() {
    let (limited, asked) = always::<(), _>(|| Ok(None));
    for _ in 0..10 {
        block_on(limited.clone().oneshot(claim("s6BhdRkqt3"))).unwrap();
    }
    for number in 0..5000 {
        let _ = block_on(limited.clone().oneshot(claim(&number.to_string())));
    }
    block_on(limited.clone().oneshot(claim("s6BhdRkqt3"))).unwrap_err();
    // A hundred clients including the first. The authenticator is not called for the others.
    assert_eq!(asked.load(Ordering::SeqCst), 10 + 99);

    let client_id = "s6BhdRkqt3".to_owned();
    let elsewhere = from(VICTIM, Credentials::ClientId { client_id });
    block_on(limited.oneshot(elsewhere)).unwrap();
}

#[test]
fn assertions_without_a_subject_count_by_their_address() {
    let (limited, asked) = always::<(), _>(|| Ok(None));
    let assertion = |peer| {
        let credentials = Credentials::Assertion {
            client_id: None,
            client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".into(),
            client_assertion: Secret::new("e30.e30."),
        };
        from(peer, credentials)
    };
    for _ in 0..20 {
        let _ = block_on(limited.clone().oneshot(assertion(ATTACKER)));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 10);
    block_on(limited.oneshot(assertion(VICTIM))).unwrap();
}

#[tokio::test]
async fn readiness_is_forwarded_and_the_ready_instance_is_called() {
    let (authenticator, mut handle) = mock::pair::<Request<Credentials>, Option<()>>();
    let mut limited = LimitFailuresLayer::new().layer(authenticator);
    handle.allow(0);
    assert!(
        poll_fn(|cx| Poll::Ready(limited.poll_ready(cx)))
            .await
            .is_pending()
    );
    handle.allow(1);
    limited.ready().await.unwrap();
    let attempt = limited.call(claim("s6BhdRkqt3"));
    let (request, response) = handle.next_request().await.unwrap();
    assert_eq!(request.body().claimed_client_id().unwrap(), "s6BhdRkqt3");
    response.send_response(Some(()));
    assert_eq!(attempt.await.unwrap(), Some(()));

    handle.send_error("it broke");
    let error = limited.ready().await.unwrap_err();
    assert_eq!(error.to_string(), "it broke");
}

#[test]
#[should_panic(expected = "the limit of failures is zero")]
fn limit_of_zero_failures_panics() {
    let _ = LimitFailuresLayer::new().failures(0);
}

mod assertions {
    //! The client that an assertion claims counts like a `client_id`.

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use tower_revocation::{Secret, client::Credentials};

    #[test]
    fn subject_of_an_assertion_is_counted() {
        let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
        let assertion = |client_assertion: String| Credentials::Assertion {
            client_id: None,
            client_assertion_type: "jwt-bearer".to_owned(),
            client_assertion: Secret::from(client_assertion),
        };
        let forged = format!(
            "{}.{}.AAAA",
            encode(r#"{"alg":"ES256"}"#),
            encode(r#"{"iss":"a","sub":"pk-client"}"#)
        );
        let forged = assertion(forged);
        assert_eq!(forged.claimed_client_id().as_deref(), Some("pk-client"));
        assert_eq!(assertion("garbage".to_owned()).claimed_client_id(), None);
    }
}

mod attestations {
    //! The client that an attestation claims counts like a `client_id`.

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use futures::executor::block_on;
    use hyper::{HeaderMap, Request};
    use tower::ServiceExt as _;
    use tower_revocation::client::Credentials;

    use super::{ATTACKER, VICTIM, always, from};

    fn attestation(subject: &str) -> String {
        let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
        let header = encode(r#"{"alg":"ES256","typ":"oauth-client-attestation+jwt"}"#);
        let claims = encode(&format!(r#"{{"iss":"a","sub":"{subject}"}}"#));
        format!("{header}.{claims}.AAAA")
    }

    fn attested(peer: &str, subject: &str) -> Request<Credentials> {
        let mut request = from(peer, Credentials::Attestation { client_id: None });
        let field = attestation(subject).parse().unwrap();
        request
            .headers_mut()
            .insert(Credentials::ATTESTATION, field);
        request
    }

    #[test]
    fn attested_subjects_of_one_address_are_counted_separately() {
        let (limited, _) = always::<(), _>(|| Ok(None));
        let ask = |peer, subject| block_on(limited.clone().oneshot(attested(peer, subject)));
        for _ in 0..10 {
            ask(ATTACKER, "forged").unwrap();
        }
        ask(ATTACKER, "forged").unwrap_err();
        for _ in 0..10 {
            ask(ATTACKER, "app").unwrap();
        }
        ask(ATTACKER, "app").unwrap_err();
        ask(VICTIM, "app").unwrap();
        // A `client_id` in the body is the same client.
        let client_id = Some("app".to_owned());
        let named = from(ATTACKER, Credentials::Attestation { client_id });
        block_on(limited.clone().oneshot(named)).unwrap_err();
    }

    #[test]
    fn random_subjects_reset_no_count_of_their_address() {
        let (limited, asked) = always::<(), _>(|| Ok(None));
        for number in 0..5000 {
            let request = attested(ATTACKER, &format!("made-up-{number}"));
            let _ = block_on(limited.clone().oneshot(request));
        }
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 100);
        block_on(limited.oneshot(attested(VICTIM, "app"))).unwrap();
    }

    #[test]
    fn subject_needs_exactly_one_attestation() {
        let credentials = Credentials::Attestation { client_id: None };
        let mut head = HeaderMap::new();
        assert_eq!(credentials.claimed_by(&head), None);
        head.append(Credentials::ATTESTATION, "garbage".parse().unwrap());
        assert_eq!(credentials.claimed_by(&head), None);
        let app = || attestation("app").parse().unwrap();
        head.insert(Credentials::ATTESTATION, app());
        assert_eq!(credentials.claimed_by(&head).as_deref(), Some("app"));
        head.append(Credentials::ATTESTATION, app());
        assert_eq!(credentials.claimed_by(&head), None);
    }
}

mod behind_a_proxy {
    //! Limits behind a proxy.

    use hyper::Request;
    use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
    use tower_revocation::{
        Error, ErrorKind,
        client::{ClientAddr, Credentials, PeerAddr, limit::LimitFailuresLayer},
    };

    #[tokio::test]
    async fn reported_address_counts_instead_of_the_address_of_the_proxy() {
        let nobody = service_fn(async |_: Request<Credentials>| Ok::<Option<()>, BoxError>(None));
        let limited = LimitFailuresLayer::new().failures(2).layer(nobody);
        let ask = |client: &str| {
            let mut request = Request::new(Credentials::ClientId {
                client_id: "c1".to_owned(),
            });
            let extensions = request.extensions_mut();
            extensions.insert(PeerAddr("10.0.0.1:4000".parse().unwrap()));
            extensions.insert(ClientAddr(client.parse().unwrap()));
            limited.clone().oneshot(request)
        };
        for _ in 0..2 {
            assert!(ask("192.0.2.7").await.unwrap().is_none());
        }
        let refused = ask("192.0.2.7").await.unwrap_err();
        let refused = refused.downcast::<Error>().unwrap();
        assert_eq!(refused.kind(), ErrorKind::TooManyRequests);
        assert!(ask("192.0.2.8").await.unwrap().is_none());
    }
}
