//! The events and counters of requests.

use super::*;
use crate::recorder::{Recorder, Value};

/// An event with its fields as text.
#[derive(Clone, Debug)]
struct Captured {
    target: String,
    level: Level,
    fields: BTreeMap<&'static str, String>,
}

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Captured>>>);

impl tracing::field::Visit for Captured {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut captured = Captured {
            target: event.metadata().target().to_owned(),
            level: *event.metadata().level(),
            fields: BTreeMap::new(),
        };
        event.record(&mut captured);
        self.0.lock().unwrap().push(captured);
    }
}

/// Returns the events that `run` emits on this thread.
fn events(run: impl FnOnce()) -> Vec<Captured> {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::registry().with(capture.clone());
    tracing::subscriber::with_default(subscriber, run);
    let events = capture.0.lock().unwrap();
    events.clone()
}

/// Returns the one event of a request.
fn event_of(
    log: impl RevocationLog + Clone + Send + Sync + 'static,
    request: AdminRequest,
) -> Captured {
    let mut events = events(|| {
        let _ = block_on(Administration::new(log).oneshot(request));
    });
    assert_eq!(events.len(), 1, "{events:?}");
    let event = events.remove(0);
    assert_eq!(event.target, "tower_revocation");
    event
}

fn fields<'a>(event: &'a Captured, names: &[&str]) -> Vec<Option<&'a str>> {
    let field = |name: &&str| event.fields.get(*name).map(String::as_str);
    names.iter().map(field).collect()
}

#[test]
fn request_is_one_event_with_everything_for_an_audit() {
    let target = Target::SubjectAndClient {
        subject: "alice".into(),
        client_id: "c1".into(),
    };
    let request = AdminRequest::new(target)
        .within("one")
        .reason("stolen\nlaptop")
        .actor("x".repeat(200))
        .before(1_300_819_380_i64);
    let event = event_of(MemoryLog::new(), request);
    assert_eq!(event.level, Level::INFO);
    let actor = format!("{:?}", "x".repeat(128));
    assert_eq!(
        fields(
            &event,
            &[
                "outcome",
                "class",
                "sub",
                "client_id",
                "tenant",
                "reason",
                "actor",
                "before",
                "sequence",
                "jti"
            ],
        ),
        [
            Some("revoked"),
            Some("subject_and_client"),
            Some("\"alice\""),
            Some("\"c1\""),
            Some("\"one\""),
            Some("\"stolen\\nlaptop\""),
            Some(&*actor),
            Some("1300819380"),
            Some("1"),
            None,
        ]
    );
}

#[test]
fn names_that_may_be_secrets_are_not_in_the_event() {
    for (target, class) in [
        (Target::Grant("s3cr3t".into()), SelectorClass::Grant),
        (Target::Session("s3cr3t".into()), SelectorClass::Session),
        (
            Target::OpaqueToken(*b"s3cr3t..s3cr3t..s3cr3t..s3cr3t.."),
            SelectorClass::Token,
        ),
    ] {
        let event = event_of(MemoryLog::new(), AdminRequest::new(target));
        assert_eq!(fields(&event, &["class"]), [Some(class.as_str())]);
        assert!(!format!("{event:?}").contains("s3cr3t"), "{event:?}");
    }
}

#[test]
fn names_that_are_not_secrets_are_in_the_event() {
    let event = |target| event_of(MemoryLog::new(), AdminRequest::new(target));
    let token = event(Target::of_token(&token()).unwrap());
    let issuer = format!("{ISSUER:?}");
    assert_eq!(
        fields(&token, &["iss", "jti"]),
        [Some(&*issuer), Some("\"jti-1\"")]
    );
    let key = event(Target::Key([0; 32]));
    assert_eq!(fields(&key, &["key"]), [Some(&*"A".repeat(43))]);
}

#[test]
fn failed_request_is_an_error_event_with_its_cause_on_one_line() {
    let request = AdminRequest::new(Target::Subject("alice".into()));
    let event = event_of(Broken(Some(LogErrorKind::Storage)), request);
    assert_eq!(event.level, Level::ERROR);
    assert_eq!(
        fields(&event, &["outcome", "sequence"]),
        [Some("failed"), None]
    );
    assert!(
        event.fields["cause"].ends_with("the disk?is gone"),
        "{event:?}"
    );
}

#[test]
fn request_whose_future_was_dropped_is_an_event() {
    let events = events(|| {
        let request = AdminRequest::new(Target::Subject("alice".into()));
        let mut future = Administration::new(Broken(None)).call(request);
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    });
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].level, Level::WARN);
    assert_eq!(fields(&events[0], &["outcome"]), [Some("cancelled")]);
}

#[test]
fn each_of_several_requests_is_an_event() {
    let names = ["alice", "bob"];
    let requests = || names.map(|name| AdminRequest::new(Target::Subject(name.into())));
    let log = MemoryLog::new();
    let revoked = events(|| {
        let administration = Administration::new(log);
        let responses = block_on(administration.revoke_all(requests())).unwrap();
        assert!(responses.iter().all(|it| it.position.sequence == 2));
    });
    let failed = events(|| {
        let broken = Administration::new(Broken(Some(LogErrorKind::Storage)));
        block_on(broken.revoke_all(requests())).unwrap_err();
    });
    let cancelled = events(|| {
        let broken = Administration::new(Broken(None));
        let mut future = Box::pin(broken.revoke_all(requests()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    });
    for (events, outcome) in [
        (revoked, "revoked"),
        (failed, "failed"),
        (cancelled, "cancelled"),
    ] {
        assert_eq!(events.len(), 2);
        for (event, name) in events.iter().zip(["\"alice\"", "\"bob\""]) {
            let expected = [Some(outcome), Some(name)];
            assert_eq!(fields(event, &["outcome", "sub"]), expected);
        }
    }
}

#[test]
fn request_beyond_the_ceiling_is_an_alarm() {
    let log = MemoryLog::new().ceiling(0);
    let request = AdminRequest::new(Target::Subject("alice".into()));
    let events = events(|| {
        block_on(Administration::new(log).oneshot(request)).unwrap_err();
    });
    let reasons: Vec<_> = events
        .iter()
        .map(|event| {
            assert_eq!(
                (&*event.target, event.level),
                ("tower_revocation", Level::ERROR)
            );
            fields(event, &["outcome", "reason"])
        })
        .collect();
    assert_eq!(reasons, [[None, Some("ceiling")], [Some("failed"), None]]);
}

#[test]
fn requests_are_counted_by_class_and_outcome() {
    let recorder = Recorder::new();
    metrics::with_local_recorder(&recorder, || {
        let send = |log: MemoryLog, target| {
            let _ = block_on(Administration::new(log).oneshot(AdminRequest::new(target)));
        };
        send(MemoryLog::new(), Target::Subject("alice".into()));
        send(MemoryLog::new(), Target::Subject("bob".into()));
        send(MemoryLog::new(), Target::Key([0; 32]));
        send(MemoryLog::new().ceiling(0), Target::Grant("g1".into()));
        let mut future =
            Administration::new(Broken(None)).call(AdminRequest::new(Target::Issuer("i".into())));
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    });
    let mut counts = BTreeMap::new();
    for (key, value) in recorder.take() {
        if key.name() == "tower_revocation_admin_requests_total" {
            let labels: Vec<_> = key.labels().map(|label| label.value().to_owned()).collect();
            counts.insert(labels.join(" "), value);
        }
    }
    let expected = [
        ("subject revoked", 2),
        ("key revoked", 1),
        ("grant failed", 1),
        ("issuer cancelled", 1),
    ];
    let expected = expected.map(|(labels, count)| (labels.to_owned(), Value::Counter(count)));
    assert_eq!(counts, BTreeMap::from(expected));
}
