//! The events and the series of requests on the path, and what they never contain.

use std::{
    collections::BTreeMap,
    fmt,
    future::{pending, ready},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures::executor::block_on;
use http_body_util::{Empty, Full};
use hyper::{Request, Response, header::HeaderValue};
use metrics_util::{
    MetricKind,
    debugging::{DebugValue, DebuggingRecorder},
};
use tower::{BoxError, Layer as _, Service, ServiceExt as _, service_fn};
use tower_revocation::{
    Error, ErrorKind, Outcome, RevocationLayer, RevocationRequest,
    client::{AuthMethod, ClientAddr, Credentials, PeerAddr, limit::LimitFailuresLayer},
};
use tracing::{Event, Level, Subscriber, field::Field};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};

/// An event, as a subscriber receives it.
#[derive(Clone, Debug)]
struct Recorded {
    target: String,
    level: Level,
    fields: BTreeMap<&'static str, String>,
}

impl Recorded {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// Records the events of all levels.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Recorded>>>);

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Fields(BTreeMap<&'static str, String>);

        impl tracing::field::Visit for Fields {
            fn record_str(&mut self, field: &Field, value: &str) {
                self.0.insert(field.name(), value.to_owned());
            }

            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                self.0.insert(field.name(), format!("{value:?}"));
            }
        }

        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(Recorded {
            target: event.metadata().target().to_owned(),
            level: *event.metadata().level(),
            fields: fields.0,
        });
    }
}

/// The events while `act` runs on this thread.
fn events(act: impl FnOnce()) -> Vec<Recorded> {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::registry().with(capture.clone());
    tracing::subscriber::with_default(subscriber, act);
    let events = capture.0.lock().unwrap();
    events.clone()
}

/// The only event while `act` runs.
fn only_event(act: impl FnOnce()) -> Recorded {
    let mut events = events(act);
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

async fn authenticate(request: Request<Credentials>) -> Result<Option<String>, BoxError> {
    let id = request.body().claimed_client_id().unwrap_or_default();
    Ok(match &*id {
        "stranger" => None,
        "limited" => {
            let error = Error::new(ErrorKind::TooManyRequests);
            return Err(error.caused_by("3 in a row").into());
        }
        _ => Some(id.into_owned()),
    })
}

fn revoke(request: &RevocationRequest<String>) -> Result<Outcome, BoxError> {
    match request.token.expose() {
        "live-t0ken" => Ok(Outcome::Revoked),
        "foreign-t0ken" => Ok(Outcome::IssuedToAnother),
        "stuck-t0ken" => Ok(Outcome::Unsupported),
        "failing-t0ken" => Err("the disk is full".into()),
        "poison-t0ken" => panic!("deliberate"),
        _ => Ok(Outcome::NotFound),
    }
}

fn layer() -> RevocationLayer<
    impl Service<Request<Credentials>, Response = Option<String>, Error = BoxError> + Clone,
    impl Service<RevocationRequest<String>, Response = Outcome, Error = BoxError> + Clone,
> {
    let backend = service_fn(|request| ready(revoke(&request)));
    RevocationLayer::new("/revoke", service_fn(authenticate), backend)
}

async fn inner(_: Request<Full<Bytes>>) -> Result<Response<Empty<Bytes>>, BoxError> {
    Ok(Response::new(Empty::new()))
}

fn post(form: &str) -> Request<Full<Bytes>> {
    Request::post("/revoke")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(form.to_owned()))
        .unwrap()
}

fn with(
    mut request: Request<Full<Bytes>>,
    fields: &[(&'static str, &'static str)],
) -> Request<Full<Bytes>> {
    for &(name, value) in fields {
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(name, value);
    }
    request
}

fn send(request: Request<Full<Bytes>>) {
    block_on(layer().layer(service_fn(inner)).oneshot(request)).unwrap();
}

/// `outcome`, `error`, `client_id`, whether there is a token, and the level.
type Expected = (
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    bool,
    Level,
);

/// One request of every kind, and the expected event.
fn kinds() -> Vec<(Request<Full<Bytes>>, Expected)> {
    let mut kinds = after_the_backend();
    kinds.extend(before_the_backend());
    kinds.extend(by_the_head());
    kinds
}

const BASIC: (&str, &str) = ("authorization", "Basic YmFzaWM6YjRzMWM=");
const ASSERTION: &str = "client_assertion=a55ert10n&client_assertion_type=urn:x";

fn after_the_backend() -> Vec<(Request<Full<Bytes>>, Expected)> {
    vec![
        (
            post("token=live-t0ken&client_id=spa-1"),
            ("revoked", None, Some("\"spa-1\""), true, Level::INFO),
        ),
        (
            with(post("token=unknown-t0ken"), &[BASIC]),
            ("not_found", None, Some("\"basic\""), true, Level::INFO),
        ),
        (
            post("token=foreign-t0ken&client_id=post-client&client_secret=s3cr3t"),
            (
                "issued_to_another",
                Some("invalid_grant"),
                Some("\"post-client\""),
                true,
                Level::WARN,
            ),
        ),
        (
            post(&format!("token=stuck-t0ken&client_id=jwt&{ASSERTION}")),
            (
                "unsupported",
                Some("unsupported_token_type"),
                Some("\"jwt\""),
                true,
                Level::WARN,
            ),
        ),
        (
            post(&format!("token=live-t0ken&{ASSERTION}")),
            ("revoked", None, None, true, Level::INFO),
        ),
        (
            post("token=failing-t0ken&client_id=spa-1"),
            (
                "failed",
                Some("unavailable"),
                Some("\"spa-1\""),
                true,
                Level::ERROR,
            ),
        ),
    ]
}

fn before_the_backend() -> Vec<(Request<Full<Bytes>>, Expected)> {
    vec![
        (
            post("token=live-t0ken&client_id=stranger&client_secret=s3cr3t"),
            (
                "refused",
                Some("invalid_client"),
                Some("\"stranger\""),
                false,
                Level::WARN,
            ),
        ),
        (
            post("token=live-t0ken&client_id=limited&client_secret=s3cr3t"),
            (
                "refused",
                Some("too_many_requests"),
                Some("\"limited\""),
                false,
                Level::WARN,
            ),
        ),
        (
            post("client_id=spa-1&client_secret=s3cr3t"),
            (
                "refused",
                Some("invalid_request"),
                Some("\"spa-1\""),
                false,
                Level::WARN,
            ),
        ),
        (
            post("token=live-t0ken&token=live-t0ken&client_secret=s3cr3t"),
            ("refused", Some("invalid_request"), None, false, Level::WARN),
        ),
        (
            with(
                post("token=live-t0ken&client_secret=s3cr3t&client_id=a"),
                &[BASIC],
            ),
            ("refused", Some("invalid_request"), None, false, Level::WARN),
        ),
        (
            with(
                post("token=live-t0ken"),
                &[("authorization", "Basic czNjcjN0!")],
            ),
            ("refused", Some("invalid_client"), None, false, Level::WARN),
        ),
    ]
}

fn by_the_head() -> Vec<(Request<Full<Bytes>>, Expected)> {
    let mut get = post("token=live-t0ken&client_id=spa-1");
    *get.method_mut() = hyper::Method::GET;
    let mut options = post("");
    *options.method_mut() = hyper::Method::OPTIONS;
    let mut query = post("");
    *query.uri_mut() = "/revoke?token=live-t0ken&client_secret=s3cr3t"
        .parse()
        .unwrap();
    let mut twice = with(post("token=live-t0ken"), &[BASIC]);
    twice
        .headers_mut()
        .append("authorization", HeaderValue::from_static("Basic YTpi"));

    vec![
        (
            twice,
            ("refused", Some("invalid_request"), None, false, Level::WARN),
        ),
        (
            query,
            ("refused", Some("invalid_request"), None, false, Level::WARN),
        ),
        (
            get,
            (
                "refused",
                Some("method_not_allowed"),
                None,
                false,
                Level::WARN,
            ),
        ),
        (
            with(post("token=live-t0ken"), &[("content-type", "text/plain")]),
            (
                "refused",
                Some("unsupported_media_type"),
                None,
                false,
                Level::WARN,
            ),
        ),
        (
            with(post("token=live-t0ken"), &[("content-encoding", "gzip")]),
            (
                "refused",
                Some("unsupported_content_coding"),
                None,
                false,
                Level::WARN,
            ),
        ),
        (
            post(&format!("token=live-t0ken&x={}", "x".repeat(65_536))),
            ("refused", Some("body_too_large"), None, false, Level::WARN),
        ),
        (options, ("options", None, None, false, Level::INFO)),
    ]
}

#[test]
fn each_request_on_the_path_is_one_event_with_its_outcome() {
    for (request, (outcome, error, client_id, token, level)) in kinds() {
        let about = format!("{request:?}");
        let event = only_event(|| send(request));
        assert_eq!(event.target, "tower_revocation", "{about}");
        assert_eq!(event.level, level, "{about}");
        assert_eq!(event.field("outcome"), Some(outcome), "{about}");
        assert_eq!(event.field("error"), error, "{about}");
        assert_eq!(event.field("client_id"), client_id, "{about}");
        assert_eq!(event.field("token").is_some(), token, "{about}");
        let duration: f64 = event.field("duration").unwrap().parse().unwrap();
        assert!((0.0..60.0).contains(&duration), "{about}");
        assert_eq!(event.field("cause").is_some(), error.is_some(), "{about}");
    }
}

#[test]
fn event_contains_each_cause_once() {
    let event = only_event(|| send(post("token=failing-t0ken&client_id=spa-1")));
    let cause = event.field("cause").unwrap();
    assert_eq!(cause, "unavailable: the disk is full");
    let event = only_event(|| send(post("token=live-t0ken&client_id=limited")));
    assert_eq!(event.field("cause"), Some("too_many_requests: 3 in a row"));
}

#[test]
fn control_characters_of_a_cause_reach_no_event() {
    let backend = service_fn(async |_: RevocationRequest<String>| {
        // A cause may quote the client: a line break, a terminal command, and Unicode controls.
        let quoted = "no such row\n2026-11-26 ERROR forged\r\u{1b}[2J\t\0\u{7f}\u{9b}31m\u{85}end";
        let cause = std::io::Error::other(quoted);
        let error = Error::new(ErrorKind::Unavailable).caused_by(cause);
        Err::<Outcome, _>(BoxError::from(error))
    });
    let layer = RevocationLayer::new("/revoke", service_fn(authenticate), backend);
    let request = post("token=live-t0ken&client_id=spa-1");
    let event = only_event(|| {
        block_on(layer.layer(service_fn(inner)).oneshot(request)).unwrap();
    });
    assert_eq!(
        event.field("cause").unwrap(),
        "unavailable: no such row?2026-11-26 ERROR forged??[2J????31m?end"
    );
}

#[test]
fn no_event_contains_a_token_a_secret_or_an_assertion() {
    let events = events(|| {
        for (request, _) in kinds() {
            send(request);
        }
    });
    assert_eq!(events.len(), kinds().len());
    let all = format!("{events:?}");
    for secret in [
        "t0ken",
        "s3cr3t",
        "a55ert10n",
        "b4s1c",
        "YmFzaWM6YjRzMWM",
        "czNjcjN0",
        "Basic",
    ] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[test]
fn event_reports_a_foreign_token_of_a_silent_layer() {
    let service = layer()
        .silent_for_foreign_tokens(true)
        .layer(service_fn(inner));
    let request = post("token=foreign-t0ken&client_id=spa-1");
    let event = only_event(|| {
        block_on(service.oneshot(request)).unwrap();
    });
    assert_eq!(event.field("outcome"), Some("issued_to_another"));
    assert_eq!((event.field("error"), event.level), (None, Level::INFO));
}

#[test]
fn event_names_the_client_of_a_disabled_method() {
    let service = layer()
        .auth_methods([AuthMethod::ClientSecretBasic])
        .layer(service_fn(inner));
    let request = post("token=live-t0ken&client_id=spa-1");
    let event = only_event(|| {
        block_on(service.oneshot(request)).unwrap();
    });
    assert_eq!(event.field("error"), Some("invalid_client"));
    assert_eq!(event.field("client_id"), Some("\"spa-1\""));
}

#[test]
fn preflight_is_one_event() {
    let service = layer()
        .cors([HeaderValue::from_static("https://spa.example")])
        .layer(service_fn(inner));
    let mut request = with(
        post(""),
        &[
            ("origin", "https://spa.example"),
            ("access-control-request-method", "POST"),
        ],
    );
    *request.method_mut() = hyper::Method::OPTIONS;
    let event = only_event(|| {
        block_on(service.oneshot(request)).unwrap();
    });
    assert_eq!(event.field("outcome"), Some("preflight"));
}

/// A `client_id` cannot begin a new line, nor fill the disk.
#[test]
fn client_id_in_an_event_is_escaped_and_cut() {
    let event = only_event(|| send(post("token=live-t0ken&client_id=a%0Ab%1B")));
    assert_eq!(event.field("client_id"), Some(r#""a\nb\u{1b}""#));
    let long = "é".repeat(1000);
    let event = only_event(|| send(post(&format!("token=live-t0ken&client_id={long}"))));
    assert_eq!(
        event.field("client_id"),
        Some(&*format!("\"{}\"", "é".repeat(128)))
    );
}

#[test]
fn passing_request_is_no_event() {
    for path in ["/", "/revoke/", "/REVOKE", "/revoke/x"] {
        let mut request = post("token=live-t0ken&client_id=spa-1");
        *request.uri_mut() = path.parse().unwrap();
        assert!(events(|| send(request)).is_empty(), "{path}");
    }
}

#[test]
fn dropped_future_is_a_cancelled_event() {
    let backend = service_fn(async |_: RevocationRequest<String>| {
        pending::<Result<Outcome, BoxError>>().await
    });
    let mut service =
        RevocationLayer::new("/revoke", service_fn(authenticate), backend).layer(service_fn(inner));
    let request = || post("token=live-t0ken&client_id=spa-1");

    let event = only_event(|| {
        let mut response = Box::pin(service.call(request()));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(response.as_mut().poll(&mut cx).is_pending());
    });
    assert_eq!(event.target, "tower_revocation");
    assert_eq!(event.field("outcome"), Some("cancelled"));
    assert_eq!(event.field("client_id"), Some("\"spa-1\""));
    assert!(event.field("token").is_some());
    assert_eq!((event.field("error"), event.level), (None, Level::INFO));

    let event = only_event(|| drop(service.call(request())));
    assert_eq!(event.field("outcome"), Some("cancelled"));
}

#[test]
fn finished_future_is_not_cancelled() {
    let mut service = layer().layer(service_fn(inner));
    let event = only_event(|| {
        let mut response = Box::pin(service.call(post("token=live-t0ken&client_id=spa-1")));
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(answer) = response.as_mut().poll(&mut cx) else {
            panic!("the future must be ready");
        };
        drop(response);
        drop(answer);
    });
    assert_eq!(event.field("outcome"), Some("revoked"));
}

#[test]
fn panic_is_an_event_at_level_error() {
    let event = only_event(|| {
        let request = post("token=poison-t0ken&client_id=spa-1");
        let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| send(request)));
        assert!(answered.is_err());
    });
    assert_eq!(event.field("outcome"), Some("panicked"));
    assert_eq!(event.level, Level::ERROR);
}

/// The fingerprint of a token with a key, or with the random key of the process.
fn fingerprint(token: &str, key: Option<[u8; 32]>) -> String {
    let layer = match key {
        Some(key) => layer().fingerprint_key(key),
        None => layer(),
    };
    let request = post(&format!("token={token}&client_id=spa-1"));
    let event = only_event(|| {
        block_on(layer.layer(service_fn(inner)).oneshot(request)).unwrap();
    });
    event.field("token").unwrap().to_owned()
}

#[test]
fn equal_tokens_under_one_key_have_equal_fingerprints() {
    for key in [None, Some([1; 32]), Some([2; 32])] {
        let one = fingerprint("one", key);
        assert_eq!(one.len(), 16);
        assert!(one.bytes().all(|digit| digit.is_ascii_hexdigit()));
        assert_eq!(one, fingerprint("one", key));
        assert_ne!(one, fingerprint("two", key));
    }
    assert_ne!(
        fingerprint("one", Some([1; 32])),
        fingerprint("one", Some([2; 32]))
    );
    assert_ne!(fingerprint("one", None), fingerprint("one", Some([1; 32])));
}

/// The first eight bytes of an HMAC-SHA-256, which everyone with the key can compute.
#[test]
fn fingerprint_is_a_keyed_digest() {
    // `printf one | openssl mac -digest SHA256 -macopt hexkey:$(printf '01%.0s' $(seq 32)) HMAC`
    assert_eq!(fingerprint("one", Some([1; 32])), "a80f93cf75fcc630");
}

#[test]
fn requests_on_the_path_are_counted_and_timed() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        for (request, _) in kinds() {
            send(request);
        }
        let mut passing = post("");
        *passing.uri_mut() = "/".parse().unwrap();
        send(passing);
        drop(layer().layer(service_fn(inner)).call(post("")));
    });

    let mut expected = BTreeMap::<_, u64>::new();
    let expected_outcomes = kinds().into_iter().map(|(_, event)| (event.0, event.1));
    for (outcome, error) in expected_outcomes.chain([("cancelled", None)]) {
        *expected
            .entry((outcome.to_owned(), error.unwrap_or("none").to_owned()))
            .or_default() += 1;
    }
    let (mut counted, mut timed) = (BTreeMap::<_, u64>::new(), BTreeMap::<_, u64>::new());
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let (kind, key) = key.into_parts();
        let labels: BTreeMap<_, _> = key
            .labels()
            .map(|label| (label.key(), label.value()))
            .collect();
        let outcome = labels["outcome"].to_owned();
        match (key.name(), kind, value) {
            (
                "tower_revocation_requests_total",
                MetricKind::Counter,
                DebugValue::Counter(count),
            ) => {
                assert_eq!(labels.len(), 3);
                // Only a failed client authentication has a reason.
                let refused = labels["error"] == "invalid_client";
                assert_eq!(labels["reason"] != "none", refused);
                *counted
                    .entry((outcome, labels["error"].to_owned()))
                    .or_default() += count;
            }
            (
                "tower_revocation_request_duration_seconds",
                MetricKind::Histogram,
                DebugValue::Histogram(durations),
            ) => {
                assert_eq!(labels.len(), 1);
                assert!(
                    durations
                        .iter()
                        .all(|seconds| (0.0..60.0).contains(&**seconds))
                );
                timed.insert(outcome, durations.len() as u64);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(counted, expected);
    let mut by_outcome = BTreeMap::new();
    for ((outcome, _), count) in expected {
        *by_outcome.entry(outcome).or_default() += count;
    }
    assert_eq!(timed, by_outcome);
}

#[test]
fn limit_without_addresses_warns_once() {
    let limit = LimitFailuresLayer::new();
    let ask = |limit: &LimitFailuresLayer, request: Request<Credentials>| {
        let authenticator = limit.layer(service_fn(authenticate));
        block_on(authenticator.oneshot(request)).unwrap();
    };
    let claim = || {
        Request::new(Credentials::ClientId {
            client_id: "spa-1".to_owned(),
        })
    };
    let address = [192, 0, 2, 7];
    let warnings = events(|| {
        let mut connected = claim();
        let peer = PeerAddr((address, 4000).into());
        connected.extensions_mut().insert(peer);
        ask(&limit, connected);
        let mut reported = claim();
        reported.extensions_mut().insert(ClientAddr(address.into()));
        ask(&limit, reported);
    });
    assert!(warnings.is_empty(), "{warnings:?}");

    let warning = only_event(|| {
        for _ in 0..3 {
            ask(&limit, claim());
            ask(&limit.clone(), claim());
        }
    });
    assert_eq!(
        (&*warning.target, warning.level),
        ("tower_revocation", Level::WARN)
    );
    let message = warning.field("message").unwrap();
    assert!(message.starts_with("failures are not limited"), "{message}");
    assert!(!format!("{warning:?}").contains("spa-1"));
    // Each layer warns once.
    only_event(|| ask(&LimitFailuresLayer::new(), claim()));
}
