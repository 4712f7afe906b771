//! Tokens end because an operator, or the server itself, says so.

use std::{
    collections::BTreeMap,
    fmt,
    future::pending,
    sync::{Arc, Mutex, Weak},
    task::{Context, Waker},
    time::Duration,
};

use futures::executor::block_on;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tower::{Service as _, ServiceExt as _};
use tower_revocation::{
    Error, ErrorKind,
    enforce::Index,
    introspect::{Introspection, TokenKind},
    log::{
        Durability, LogError, LogErrorKind, LogHealth, MemoryLog, NumericDate, Position, Reader,
        Revocation, RevocationLog, Selector, SelectorClass, Snapshot,
    },
    revoke::{AdminRequest, AdminResponse, Administration, Target},
};
use tracing::{Event, Level, Subscriber, field::Field};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};

const ISSUER: &str = "https://as.example.com";
const HOUR: Duration = Duration::from_secs(3600);

/// A token that has everything that a token can be ended by.
fn token() -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, "c1");
    token.token = Some(Selector::token(ISSUER, "jti-1"));
    token.jti = Some("jti-1".into());
    token.iss = Some(ISSUER.into());
    token.grant = Some("g1".into());
    token.sid = Some("s1".into());
    token.sub = Some("alice".into());
    token.cnf.jkt = Some([1; 32]);
    token.cnf.x5t_s256 = Some([2; 32]);
    token.iat = Some(NumericDate::now());
    token
}

/// The same, but for one thing.
fn but(change: impl FnOnce(&mut Introspection)) -> Introspection {
    let mut token = token();
    change(&mut token);
    token
}

async fn carry_out(log: &MemoryLog, order: AdminRequest) -> AdminResponse {
    let administration = Administration::new(log.clone()).longest_lifetime(24 * HOUR);
    administration.oneshot(order).await.unwrap()
}

/// Whether the tokens issued by now fall, and those of the next second.
async fn falls(target: Target, token: &Introspection) -> (bool, bool) {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let receipt = carry_out(&log, AdminRequest::new(target)).await;
    let mut later = token.clone();
    // What is for ever has no next second.
    later.iat = Some(receipt.not_before.min(NumericDate::now()) + Duration::from_secs(1));
    assert_eq!(index.len(), 1);
    (index.covers(token), index.covers(&later))
}

#[tokio::test]
async fn each_target_ends_its_tokens_and_no_others() {
    const ALIVE: (bool, bool) = (false, false);
    const FOR_EVER: (bool, bool) = (true, true);
    const UNTIL_NOW: (bool, bool) = (true, false);
    let both = |subject: &str, client_id: &str| Target::SubjectAndClient {
        subject: subject.into(),
        client_id: client_id.into(),
    };
    let one = |issuer: &str, jti: &str| Target::Token {
        issuer: issuer.into(),
        jti: jti.into(),
    };
    for (target, expected) in [
        (one(ISSUER, "jti-1"), FOR_EVER),
        (one(ISSUER, "jti-2"), ALIVE),
        (one("https://other.example.com", "jti-1"), ALIVE),
        (Target::Grant("g1".into()), FOR_EVER),
        (Target::Grant("s1".into()), ALIVE),
        (Target::Session("s1".into()), FOR_EVER),
        (Target::Session("g1".into()), ALIVE),
        (Target::Subject("alice".into()), UNTIL_NOW),
        (Target::Subject("Alice".into()), ALIVE),
        (Target::Client("c1".into()), UNTIL_NOW),
        (Target::Client("c2".into()), ALIVE),
        (both("alice", "c1"), UNTIL_NOW),
        (both("alice", "c2"), ALIVE),
        (both("bob", "c1"), ALIVE),
        (Target::Key([1; 32]), UNTIL_NOW),
        (Target::Key([2; 32]), UNTIL_NOW),
        (Target::Key([3; 32]), ALIVE),
        (Target::Issuer(ISSUER.into()), UNTIL_NOW),
        (Target::Issuer("https://other.example.com".into()), ALIVE),
    ] {
        assert_eq!(
            falls(target.clone(), &token()).await,
            expected,
            "{target:?}"
        );
    }
}

#[tokio::test]
async fn token_in_hand_is_a_target() {
    let target = Target::of_token(&token()).unwrap();
    assert!(matches!(&target, Target::Token { jti, .. } if jti == "jti-1"));
    assert_eq!(falls(target, &token()).await, (true, true));

    let opaque = but(|token| token.token = Some(Selector::opaque_token([7; 32])));
    let target = Target::of_token(&opaque).unwrap();
    assert_eq!(target, Target::OpaqueToken([7; 32]));
    assert_eq!(falls(target.clone(), &opaque).await, (true, true));
    assert_eq!(falls(target, &token()).await, (false, false));

    assert_eq!(Target::of_token(&but(|token| token.token = None)), None);
}

#[tokio::test]
async fn order_within_a_tenant_spares_its_namesakes() {
    for target in [
        Target::Grant("g1".into()),
        Target::Session("s1".into()),
        Target::Subject("alice".into()),
        Target::Client("c1".into()),
        Target::SubjectAndClient {
            subject: "alice".into(),
            client_id: "c1".into(),
        },
    ] {
        let log = MemoryLog::new();
        let index = Index::follow(&log).await.unwrap();
        carry_out(&log, AdminRequest::new(target.clone()).within("one")).await;
        let of = |tenant: &str| but(|token| token.tenant = Some(tenant.into()));
        assert!(index.covers(&of("one")), "{target:?}");
        assert!(!index.covers(&of("other")), "{target:?}");
        assert!(!index.covers(&token()), "{target:?}");
    }
}

/// Whether tokens that were issued at these seconds fall by an order.
async fn fall(order: AdminRequest, issued: &[NumericDate]) -> (AdminResponse, Vec<bool>) {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let receipt = carry_out(&log, order).await;
    let covers = |iat: &NumericDate| index.covers(&but(|token| token.iat = Some(*iat)));
    (receipt, issued.iter().map(covers).collect())
}

#[tokio::test]
async fn order_with_a_date_spares_what_is_newer() {
    let date = |seconds: i64| NumericDate::from(1_300_819_380 + seconds);
    for target in [
        Target::Subject("alice".into()),
        Target::Client("c1".into()),
        Target::Key([1; 32]),
        Target::Issuer(ISSUER.into()),
    ] {
        let order = AdminRequest::new(target).before(date(0));
        let (receipt, fallen) = fall(order, &[date(-1), date(0), date(1)]).await;
        assert_eq!(receipt.not_before, date(0));
        assert_eq!(fallen, [true, true, false]);
    }
}

#[tokio::test]
async fn date_in_the_future_counts_as_now() {
    for date in [NumericDate::now() + HOUR, NumericDate::FOREVER] {
        let now = NumericDate::now();
        let order = AdminRequest::new(Target::Subject("alice".into())).before(date);
        let (receipt, fallen) = fall(order, &[now, now + HOUR]).await;
        assert!(receipt.not_before >= now && receipt.not_before < now + HOUR);
        assert_eq!(fallen, [true, false]);
    }
}

#[tokio::test]
async fn date_before_1970_spares_every_token() {
    let order = AdminRequest::new(Target::Subject("alice".into())).before(-1_i64);
    let (receipt, fallen) = fall(order, &[NumericDate::from(1_i64)]).await;
    assert_eq!((receipt.not_before.seconds(), fallen), (0, vec![false]));
}

#[tokio::test]
async fn date_is_ignored_for_tokens_grants_and_sessions() {
    for target in [
        Target::of_token(&token()).unwrap(),
        Target::Grant("g1".into()),
        Target::Session("s1".into()),
    ] {
        let order = AdminRequest::new(target).before(NumericDate::new(1));
        let (receipt, fallen) = fall(order, &[NumericDate::now() + HOUR]).await;
        assert_eq!(
            (receipt.not_before, fallen),
            (NumericDate::FOREVER, vec![true])
        );
    }
}

#[tokio::test]
async fn date_with_a_fraction_ends_its_whole_second() {
    let date = std::time::UNIX_EPOCH + Duration::from_millis(1_300_819_380_001);
    let order = AdminRequest::new(Target::Subject("alice".into())).before(date);
    let second = NumericDate::new(1_300_819_380);
    let next = NumericDate::new(1_300_819_381);
    let (_, fallen) = fall(order, &[second, next]).await;
    assert_eq!(fallen, [true, false]);
}

#[tokio::test]
async fn order_with_an_earlier_date_takes_nothing_back() {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let order = AdminRequest::new(Target::Subject("alice".into()));
    carry_out(&log, order.clone()).await;
    carry_out(&log, order.before(1_i64)).await;
    assert!(index.covers(&token()));
}

#[tokio::test]
async fn tenant_does_not_narrow_what_has_one_name_everywhere() {
    for target in [
        Target::of_token(&token()).unwrap(),
        Target::Key([1; 32]),
        Target::Issuer(ISSUER.into()),
    ] {
        let log = MemoryLog::new();
        let index = Index::follow(&log).await.unwrap();
        carry_out(&log, AdminRequest::new(target.clone()).within("one")).await;
        assert!(index.covers(&token()), "{target:?}");
    }
}

#[tokio::test]
async fn receipt_says_where_the_log_stands_and_what_the_record_says() {
    let log = MemoryLog::new();
    let before = NumericDate::now();
    for (sequence, target) in [
        (1, Target::Subject("alice".into())),
        (2, Target::Grant("g1".into())),
    ] {
        let receipt = carry_out(&log, AdminRequest::new(target.clone())).await;
        let snapshot = log.snapshot().await.unwrap();
        assert_eq!(receipt.position, snapshot.position);
        assert_eq!(receipt.position.sequence, sequence);
        let said = (receipt.not_before, receipt.expires);
        let is_said = |record: &&Revocation| (record.not_before(), record.expires()) == said;
        assert!(snapshot.records.iter().any(|record| is_said(&record)));
        assert!(receipt.expires >= before + 24 * HOUR);
        assert!(receipt.expires < NumericDate::now() + 48 * HOUR);
    }
}

#[tokio::test]
async fn records_are_kept_for_ever_where_lifetimes_are_not_known() {
    let order = AdminRequest::new(Target::Client("c1".into()));
    let receipt = Administration::new(MemoryLog::new())
        .oneshot(order)
        .await
        .unwrap();
    assert_eq!(receipt.expires, NumericDate::FOREVER);
}

#[tokio::test]
async fn leeway_keeps_records_for_longer() {
    let order = || AdminRequest::new(Target::Client("c1".into()));
    let receipt = |leeway| {
        Administration::new(MemoryLog::new())
            .longest_lifetime(HOUR)
            .leeway(leeway)
            .oneshot(order())
    };
    let (short, long) = (receipt(Duration::ZERO).await, receipt(24 * HOUR).await);
    assert!(long.unwrap().expires >= short.unwrap().expires + 23 * HOUR);
}

#[tokio::test]
async fn order_can_be_repeated() {
    let log = MemoryLog::new();
    let grant = || AdminRequest::new(Target::Grant("g1".into()));
    let first = carry_out(&log, grant()).await;
    let again = carry_out(&log, grant()).await;
    assert_eq!(first.not_before, again.not_before);
    assert!(first.position.sequence <= again.position.sequence);

    let subject = || AdminRequest::new(Target::Subject("alice".into()));
    let (first, again) = (
        carry_out(&log, subject()).await,
        carry_out(&log, subject()).await,
    );
    assert!(first.not_before <= again.not_before);
    assert_eq!(log.snapshot().await.unwrap().records.len(), 2);
}

/// A log that does not do what it is asked, or never answers.
#[derive(Clone)]
struct Broken(Option<LogErrorKind>);

impl RevocationLog for Broken {
    async fn append(&self, _: Vec<Revocation>) -> Result<Position, LogError> {
        match self.0 {
            Some(kind) => Err(LogError::new(kind).caused_by("the disk\nis gone")),
            None => pending().await,
        }
    }

    async fn snapshot(&self) -> Result<Snapshot, LogError> {
        Err(LogError::new(LogErrorKind::Storage))
    }

    async fn tail(&self, _: Position, _: Weak<dyn Reader>) -> Result<(), LogError> {
        Err(LogError::new(LogErrorKind::Storage))
    }

    fn health(&self) -> LogHealth {
        LogHealth::writable()
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

/// What somebody's error means to an HTTP answer.
fn told(error: &LogError) -> Option<&Error> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

#[tokio::test]
async fn log_that_fails_is_an_error_and_no_receipt() {
    let order = || AdminRequest::new(Target::Grant("g1".into()));
    for kind in [
        LogErrorKind::Storage,
        LogErrorKind::Closed,
        LogErrorKind::QueueFull,
    ] {
        let broken = Administration::new(Broken(Some(kind)));
        let error = broken.oneshot(order()).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(told(&error).is_none());
    }
    let full = Administration::new(Broken(Some(LogErrorKind::Full)));
    let error = full.oneshot(order()).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Full);
    let told = told(&error).unwrap();
    assert_eq!(told.kind(), ErrorKind::Unavailable);
    assert_eq!(told.retry_delay(), Some(Duration::from_secs(60)));
}

/// An event as a subscriber sees it.
#[derive(Clone, Debug)]
struct Seen {
    target: String,
    level: Level,
    fields: BTreeMap<&'static str, String>,
}

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Seen>>>);

impl tracing::field::Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut seen = Seen {
            target: event.metadata().target().to_owned(),
            level: *event.metadata().level(),
            fields: BTreeMap::new(),
        };
        event.record(&mut seen);
        self.0.lock().unwrap().push(seen);
    }
}

/// What is seen while `act` runs on this thread.
fn seen(act: impl FnOnce()) -> Vec<Seen> {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::registry().with(capture.clone());
    tracing::subscriber::with_default(subscriber, act);
    let seen = capture.0.lock().unwrap();
    seen.clone()
}

/// The one event of an order.
fn event_of(log: impl RevocationLog + Clone + Send + Sync + 'static, order: AdminRequest) -> Seen {
    let mut seen = seen(|| {
        let _ = block_on(Administration::new(log).oneshot(order));
    });
    assert_eq!(seen.len(), 1, "{seen:?}");
    let seen = seen.remove(0);
    assert_eq!(seen.target, "tower_revocation");
    seen
}

fn fields<'a>(seen: &'a Seen, names: &[&str]) -> Vec<Option<&'a str>> {
    let field = |name: &&str| seen.fields.get(*name).map(String::as_str);
    names.iter().map(field).collect()
}

#[test]
fn order_is_one_event_with_everything_that_an_auditor_asks_for() {
    let target = Target::SubjectAndClient {
        subject: "alice".into(),
        client_id: "c1".into(),
    };
    let order = AdminRequest::new(target)
        .within("one")
        .reason("stolen\nlaptop")
        .actor("x".repeat(200))
        .before(1_300_819_380_i64);
    let seen = event_of(MemoryLog::new(), order);
    assert_eq!(seen.level, Level::INFO);
    let actor = format!("{:?}", "x".repeat(128));
    assert_eq!(
        fields(
            &seen,
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
fn names_that_may_be_secrets_are_in_no_event() {
    for (target, class) in [
        (Target::Grant("s3cr3t".into()), SelectorClass::Grant),
        (Target::Session("s3cr3t".into()), SelectorClass::Session),
        (
            Target::OpaqueToken(*b"s3cr3t..s3cr3t..s3cr3t..s3cr3t.."),
            SelectorClass::Token,
        ),
    ] {
        let seen = event_of(MemoryLog::new(), AdminRequest::new(target));
        assert_eq!(fields(&seen, &["class"]), [Some(class.as_str())]);
        assert!(!format!("{seen:?}").contains("s3cr3t"), "{seen:?}");
    }
}

#[test]
fn names_that_are_no_secrets_are_in_the_event() {
    let seen = |target| event_of(MemoryLog::new(), AdminRequest::new(target));
    let one = seen(Target::of_token(&token()).unwrap());
    let issuer = format!("{ISSUER:?}");
    assert_eq!(
        fields(&one, &["iss", "jti"]),
        [Some(&*issuer), Some("\"jti-1\"")]
    );
    let key = seen(Target::Key([0; 32]));
    assert_eq!(fields(&key, &["key"]), [Some(&*"A".repeat(43))]);
}

#[test]
fn order_that_failed_is_an_error_with_its_cause_in_one_line() {
    let order = AdminRequest::new(Target::Subject("alice".into()));
    let seen = event_of(Broken(Some(LogErrorKind::Storage)), order);
    assert_eq!(seen.level, Level::ERROR);
    assert_eq!(
        fields(&seen, &["outcome", "sequence"]),
        [Some("failed"), None]
    );
    assert!(
        seen.fields["cause"].ends_with("the disk?is gone"),
        "{seen:?}"
    );
}

#[test]
fn order_that_nobody_waited_for_is_an_event_too() {
    let seen = seen(|| {
        let order = AdminRequest::new(Target::Subject("alice".into()));
        let mut future = Administration::new(Broken(None)).call(order);
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    });
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].level, Level::WARN);
    assert_eq!(fields(&seen[0], &["outcome"]), [Some("cancelled")]);
}

#[test]
fn log_without_room_raises_an_alarm() {
    let log = MemoryLog::new().ceiling(0);
    let order = AdminRequest::new(Target::Subject("alice".into()));
    let seen = seen(|| {
        block_on(Administration::new(log).oneshot(order)).unwrap_err();
    });
    let reasons: Vec<_> = seen
        .iter()
        .map(|seen| {
            assert_eq!(
                (&*seen.target, seen.level),
                ("tower_revocation", Level::ERROR)
            );
            fields(seen, &["outcome", "reason"])
        })
        .collect();
    assert_eq!(reasons, [[None, Some("ceiling")], [Some("failed"), None]]);
}

#[test]
fn orders_are_counted_by_class_and_outcome() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let give = |log: MemoryLog, target| {
            let _ = block_on(Administration::new(log).oneshot(AdminRequest::new(target)));
        };
        give(MemoryLog::new(), Target::Subject("alice".into()));
        give(MemoryLog::new(), Target::Subject("bob".into()));
        give(MemoryLog::new(), Target::Key([0; 32]));
        give(MemoryLog::new().ceiling(0), Target::Grant("g1".into()));
        let mut future =
            Administration::new(Broken(None)).call(AdminRequest::new(Target::Issuer("i".into())));
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    });
    let mut counts = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let key = key.key();
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
    let expected = expected.map(|(labels, count)| (labels.to_owned(), DebugValue::Counter(count)));
    assert_eq!(counts, BTreeMap::from(expected));
}
