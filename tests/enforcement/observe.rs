//! What an operator is told of requests that need a token.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use futures::executor::block_on;
use metrics_util::{
    MetricKind,
    debugging::{DebugValue, DebuggingRecorder},
};
use tower::{BoxError, service_fn};
use tower_revocation::{
    Secret,
    enforce::{EnforcementLayer, Index},
    introspect::Introspection,
    log::{MemoryLog, RevocationLog as _, Selector},
};
use tracing::{Event, Level, Subscriber, field::Field};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};

use crate::fixture::{TOKEN, ask, forever, good, guarded, request, with_token};

#[derive(Clone, Debug)]
struct Seen {
    level: Level,
    fields: BTreeMap<&'static str, String>,
}

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Seen>>>);

impl<S: Subscriber> Layer<S> for Capture {
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
        let layer = layer.fingerprint_key(&[7; 32]);
        ask(&layer, request(authorization)).await;
    })
}

fn captured(happens: impl Future<Output = ()>) -> Vec<Seen> {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::registry().with(capture.clone());
    tracing::subscriber::with_default(subscriber, || block_on(happens));
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
    // The same token has the same name the next time.
    assert_eq!(
        events(true, Some(&bearer))[0].fields["token"],
        fields["token"]
    );
    assert!(!format!("{seen:?}").contains(TOKEN));
}

#[test]
fn what_is_our_fault_is_an_error_with_its_cause() {
    let seen = events(false, Some("Bearer broken"));
    assert_eq!(seen[0].level, Level::ERROR);
    assert_eq!(seen[0].fields["verdict"], "\"unknown\"");
    assert_eq!(seen[0].fields["cause"], "the store is down");
    assert!(!seen[0].fields.contains_key("selector"));
}

#[test]
fn control_characters_of_a_cause_reach_no_event() {
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
fn request_that_passes_is_no_event() {
    assert!(events(false, Some(&format!("Bearer {TOKEN}"))).is_empty());
}

#[test]
fn requests_are_counted_by_verdict_and_class() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        block_on(async {
            let (layer, log) = guarded(good()).await;
            ask(&layer, with_token()).await;
            ask(&layer, with_token()).await;
            ask(&layer, request(None)).await;
            ask(&layer, request(Some("Bearer broken"))).await;
            log.append(forever(Selector::session("s1"))).await.unwrap();
            ask(&layer, with_token()).await;
        });
    });
    let mut counts = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let (kind, key) = key.into_parts();
        if kind == MetricKind::Counter && key.name() == "tower_revocation_checks_total" {
            let label = |name| {
                key.labels()
                    .find(|it| it.key() == name)
                    .unwrap()
                    .value()
                    .to_owned()
            };
            let DebugValue::Counter(count) = value else {
                panic!("a counter counts")
            };
            counts.insert((label("verdict"), label("selector")), count);
        }
    }
    let expected = [
        (("live", "none"), 2),
        (("missing", "none"), 1),
        (("unknown", "none"), 1),
        (("revoked", "session"), 1),
    ];
    let expected =
        expected.map(|((verdict, class), count)| ((verdict.to_owned(), class.to_owned()), count));
    assert_eq!(counts, BTreeMap::from(expected));
}
