//! The events and series of enforcement.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::executor::block_on;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    enforce::{EnforcementLayer, Freshness, Index, Policy, Refused, ScopeLayer},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, RevocationLog as _, Selector, SelectorClass},
};
use tracing::{Event, Level, Subscriber, field::Field};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::fixture::{Known, RemoteLog, TOKEN, ask, forever, good, guarded, request, with_token};
use crate::recorder::{Recorder, Value};

#[derive(Clone, Debug)]
struct Seen {
    level: Level,
    fields: BTreeMap<&'static str, String>,
}

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Seen>>>);

impl<S: Subscriber> tracing_subscriber::Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Fields(BTreeMap<&'static str, String>);

        impl tracing::field::Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                self.0.insert(field.name(), format!("{value:?}"));
            }
        }

        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        assert_eq!(event.metadata().target(), "tower_revocation");
        self.0.lock().unwrap().push(Seen {
            level: *event.metadata().level(),
            fields: fields.0,
        });
    }
}

/// The events of one request.
fn events(revoked: bool, authorization: Option<&str>) -> Vec<Seen> {
    captured(async {
        let (layer, log) = guarded(good()).await;
        if revoked {
            log.append(forever(Selector::grant("g1"))).await.unwrap();
        }
        let layer = layer.fingerprint_key([7; 32]);
        ask(&layer, request(authorization)).await;
    })
}

fn captured(future: impl Future<Output = ()>) -> Vec<Seen> {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::registry().with(capture.clone());
    tracing::subscriber::with_default(subscriber, || block_on(future));
    std::mem::take(&mut *capture.0.lock().unwrap())
}

#[test]
fn refusal_is_one_event_with_fingerprint_and_class() {
    let bearer = format!("Bearer {TOKEN}");
    let seen = events(true, Some(&bearer));
    assert_eq!(seen.len(), 1, "{seen:?}");
    let Seen { level, fields } = &seen[0];
    assert_eq!(*level, Level::WARN);
    assert_eq!(fields["verdict"], "\"revoked\"");
    assert_eq!(fields["selector"], "\"grant\"");
    assert_eq!(fields["client_id"], "\"s6BhdRkqt3\"");
    assert_eq!(fields["token"].len(), 18);
    // The same token has the same fingerprint again.
    assert_eq!(
        events(true, Some(&bearer))[0].fields["token"],
        fields["token"]
    );
    assert!(!format!("{seen:?}").contains(TOKEN));
}

#[test]
fn failed_introspection_is_an_error_event_with_its_cause() {
    let seen = events(false, Some("Bearer broken"));
    assert_eq!(seen[0].level, Level::ERROR);
    assert_eq!(seen[0].fields["verdict"], "\"unknown\"");
    assert_eq!(seen[0].fields["cause"], "the store is down");
    assert!(!seen[0].fields.contains_key("selector"));
}

#[test]
fn event_has_no_control_characters_of_a_cause() {
    let introspect = service_fn(async |_: Secret| {
        Err::<Option<Introspection>, _>(BoxError::from("down\r\n\u{1b}[1mERROR forged"))
    });
    let seen = captured(async {
        let index = Index::follow(&MemoryLog::new()).await.unwrap();
        ask(&EnforcementLayer::new(introspect, index), with_token()).await;
    });
    assert_eq!(seen[0].fields["cause"], "down???[1mERROR forged");
}

#[test]
fn passing_request_emits_no_event() {
    assert!(events(false, Some(&format!("Bearer {TOKEN}"))).is_empty());
}

#[test]
fn event_of_a_refusal_has_its_reason() {
    let seen = events(false, Some("Bearer n0body"));
    assert_eq!(seen[0].level, Level::INFO);
    assert_eq!(seen[0].fields["verdict"], "\"invalid\"");
    assert_eq!(seen[0].fields["reason"], "\"unrecognised\"");
    // Other verdicts have no reason.
    let revoked = events(true, Some(&format!("Bearer {TOKEN}")));
    assert!(!revoked[0].fields.contains_key("reason"));
}

#[test]
fn event_names_the_state_of_the_index_as_cause() {
    let unready = captured(async {
        let layer = EnforcementLayer::new(Known::with(good()).service(), Index::new());
        ask(&layer, with_token()).await;
    });
    assert_eq!(unready[0].level, Level::ERROR);
    assert_eq!(unready[0].fields["cause"], "the index has not been loaded");
    assert_eq!(unready[0].fields["client_id"], "\"s6BhdRkqt3\"");

    let stale = captured(async {
        let index = Index::new().stale_after(Duration::ZERO);
        index.load(&RemoteLog::default()).await.unwrap();
        let silent = || matches!(index.freshness(), Freshness::Stale(_));
        while !silent() {
            std::thread::yield_now();
        }
        let layer = EnforcementLayer::new(Known::with(good()).service(), index.clone());
        ask(&layer, with_token()).await;
    });
    assert_eq!(stale[0].fields["cause"], "the index is stale");
}

/// Runs one request without the required scope through both layers.
async fn out_of_scope() {
    let (layer, _) = guarded(good()).await;
    let api = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Full::<Bytes>::default()))
    });
    let service = layer.layer(ScopeLayer::new("read").layer(api));
    let response = service.oneshot(with_token()).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}

#[test]
fn refusal_of_a_scope_is_one_more_event_and_count() {
    let seen = captured(out_of_scope());
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].level, Level::INFO);
    assert_eq!(seen[0].fields["verdict"], "\"insufficient_scope\"");
    assert_eq!(seen[0].fields["client_id"], "\"s6BhdRkqt3\"");

    let (checks, durations) = counted(out_of_scope());
    let labels = |verdict: &str| [verdict, "none", "none"].map(str::to_owned).to_vec();
    let expected = [(labels("live"), 1), (labels("insufficient_scope"), 1)];
    assert_eq!(checks, BTreeMap::from(expected));
    assert_eq!(durations, BTreeMap::from([("live".to_owned(), 1)]));
}

/// The count for each set of labels: verdict, selector and reason.
type Counts = BTreeMap<Vec<String>, u64>;

/// The counts while `future` runs, and the number of durations by verdict.
fn counted(future: impl Future<Output = ()>) -> (Counts, BTreeMap<String, usize>) {
    let recorder = Recorder::new();
    metrics::with_local_recorder(&recorder, || block_on(future));
    let (mut checks, mut durations) = (BTreeMap::new(), BTreeMap::new());
    for (key, value) in recorder.take() {
        let label = |name| {
            let label = key.labels().find(|label| label.key() == name);
            label.unwrap().value().to_owned()
        };
        match (key.name(), value) {
            ("tower_revocation_checks_total", Value::Counter(count)) => {
                let labels = ["verdict", "selector", "reason"].map(label);
                checks.insert(labels.to_vec(), count);
            }
            ("tower_revocation_check_duration_seconds", Value::Histogram(values)) => {
                durations.insert(label("verdict"), values.len());
            }
            (other, _) => panic!("{other}"),
        }
    }
    (checks, durations)
}

#[test]
fn requests_are_counted_and_timed_by_verdict() {
    let (checks, durations) = counted(async {
        let (layer, log) = guarded(good()).await;
        ask(&layer, with_token()).await;
        ask(&layer, with_token()).await;
        ask(&layer, request(None)).await;
        ask(&layer, request(Some("Bearer broken"))).await;
        ask(&layer, request(Some("Bearer n0body"))).await;
        ask(&layer, request(Some("Bearer \"quoted\""))).await;
        log.append(forever(Selector::session("s1"))).await.unwrap();
        ask(&layer, with_token()).await;
        let layer = layer.policy(Policy::new().anonymous(true));
        ask(&layer, request(None)).await;
        let mut token = good();
        token.revoked = true;
        ask(&guarded(token).await.0, with_token()).await;
    });
    let expected = [
        (["live", "none", "none"], 2),
        (["missing", "none", "none"], 1),
        (["unknown", "none", "none"], 1),
        (["invalid", "none", "unrecognised"], 1),
        (["invalid", "none", "not_a_token"], 1),
        (["revoked", "session", "none"], 1),
        (["revoked", "none", "none"], 1),
        (["anonymous", "none", "none"], 1),
    ];
    let expected = expected.map(|(labels, count)| (labels.map(str::to_owned).to_vec(), count));
    assert_eq!(checks, BTreeMap::from(expected));
    let expected = [
        ("live", 2),
        ("missing", 1),
        ("unknown", 1),
        ("invalid", 2),
        ("revoked", 2),
        ("anonymous", 1),
    ];
    let expected = expected.map(|(verdict, count)| (verdict.to_owned(), count));
    assert_eq!(durations, BTreeMap::from(expected));
}

/// A change to a good token.
type Change = fn(&mut Introspection);

#[test]
fn each_reason_is_a_label_and_in_the_extensions_of_the_response() {
    let changes: [(Change, &str); 5] = [
        (|token| token.kind = TokenKind::RefreshToken, "kind"),
        (|token| token.rotated = true, "rotated"),
        (|token| token.iat = None, "no_iat"),
        (|token| token.nbf = token.exp, "not_yet"),
        (|token| token.sid = None, "lacks_selector"),
    ];
    for (change, expected) in changes {
        let (checks, _) = counted(async {
            let mut token = good();
            change(&mut token);
            let (layer, _) = guarded(token).await;
            let layer = layer.require(SelectorClass::Session);
            let response = ask(&layer, with_token()).await;
            let refused = response.extensions().get::<Refused>().unwrap();
            assert_eq!(refused.reason().unwrap().as_str(), expected);
        });
        let labels = ["invalid", "none", expected].map(str::to_owned).to_vec();
        assert_eq!(checks, BTreeMap::from([(labels, 1)]));
    }
}
