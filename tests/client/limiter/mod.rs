//! Too many failures of one client at one address get 429. Nobody else does.

mod assertions;
mod attestations;
mod behind_a_proxy;
mod counts;

use std::{
    future::poll_fn,
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
use futures::future::join_all;
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
