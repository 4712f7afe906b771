//! The responses, counters and events of exceeded limits.

use super::*;
use crate::recorder::{Recorder, Value};

/// Returns status and `Retry-After` of the last response.
async fn last_response(log: MemoryLog, tokens: &[&str]) -> (u16, Option<String>) {
    let authenticate = service_fn(async |request: Request<Credentials>| {
        let id = request.body().claimed_client_id();
        Ok::<_, BoxError>(id.map(std::borrow::Cow::into_owned))
    });
    let backend = RecordRevocation::new(service_fn(introspect), log).quota(1);
    let endpoint = RevocationLayer::new("/revoke", authenticate, backend).into_endpoint();
    let mut last = None;
    for token in tokens {
        let request = Request::post("/revoke")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::<Bytes>::from(format!("client_id=c1&token={token}")))
            .unwrap();
        let response = endpoint.clone().oneshot(request).await.unwrap();
        let delay = response.headers().get("retry-after");
        let delay = delay.map(|delay| delay.to_str().unwrap().to_owned());
        last = Some((response.status().as_u16(), delay));
    }
    last.expect("there is a token")
}

#[tokio::test]
async fn exceeded_limit_is_503_with_retry_after() {
    let minute = || Some("60".to_owned());
    let log = |ceiling| MemoryLog::new().ceiling(ceiling);
    assert_eq!(last_response(log(1), &["t.c1.g1"]).await, (200, None));
    let beyond_the_quota = last_response(log(2), &["t.c1.g1", "t.c1.g2"]).await;
    assert_eq!(beyond_the_quota, (503, minute()));
    assert_eq!(last_response(log(0), &["t.c1.g1"]).await, (503, minute()));
}

#[test]
fn exceeded_limits_are_counted_by_reason() {
    let recorder = Recorder::new();
    metrics::with_local_recorder(&recorder, || {
        block_on(async {
            let log = MemoryLog::new().ceiling(2);
            let backend = RecordRevocation::new(service_fn(introspect), log.clone()).quota(1);
            for (client, token) in [
                ("c1", "t.c1.g1"),
                ("c1", "t.c1.g2"),
                ("c1", "t.c1.g3"),
                ("c2", "t.c2.g4"),
                ("c3", "t.c3.g5"),
            ] {
                let request = RevocationRequest::new(client, Secret::new(token));
                let _ = backend.clone().oneshot(request).await;
            }
            let request = AdminRequest::new(Target::Client("c1".into()));
            Administration::new(log).oneshot(request).await.unwrap_err();
        });
    });
    let mut counts = Vec::new();
    for (key, value) in recorder.take() {
        if key.name() == "tower_revocation_appends_refused_total" {
            let labels: Vec<_> = key
                .labels()
                .map(|label| (label.key().to_owned(), label.value().to_owned()))
                .collect();
            counts.push((labels, value));
        }
    }
    counts.sort_by(|one, other| one.0.cmp(&other.0));
    let reason = |reason: &str| vec![("reason".to_owned(), reason.to_owned())];
    assert_eq!(
        counts,
        [
            (reason("ceiling"), Value::Counter(2)),
            (reason("quota"), Value::Counter(2)),
        ]
    );
}

/// The levels of all events in their order.
#[derive(Clone, Default)]
struct Levels(Arc<Mutex<Vec<Level>>>);

impl<S: Subscriber> tracing_subscriber::Layer<S> for Levels {
    fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        self.0.lock().unwrap().push(*event.metadata().level());
    }
}

/// A client causes this itself, and nothing has failed here.
#[test]
fn used_up_quota_is_a_warning_and_not_an_error_event() {
    let tokens = ["t.c1.g1", "t.c1.g2"];
    for (ceiling, tokens, expected) in [
        (2, &tokens[..], Level::WARN),
        (0, &tokens[..1], Level::ERROR),
    ] {
        let levels = Levels::default();
        let subscriber = tracing_subscriber::registry().with(levels.clone());
        tracing::subscriber::with_default(subscriber, || {
            let log = MemoryLog::new().ceiling(ceiling);
            let (status, _) = block_on(last_response(log, tokens));
            assert_eq!(status, 503);
        });
        // One event about the limit, and one about the request.
        let levels = levels.0.lock().unwrap();
        assert_eq!(levels[levels.len() - 2..], [expected, expected]);
    }
}
