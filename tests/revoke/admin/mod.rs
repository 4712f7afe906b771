//! Revocation by an operator or by the server itself.

use std::{
    collections::BTreeMap,
    fmt,
    future::pending,
    sync::{Arc, Mutex, Weak},
    task::{Context, Waker},
    time::Duration,
};

mod dates;
mod event;

use futures::executor::block_on;
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

/// A token with every property by which a token can be revoked.
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

/// The same token with one change.
fn token_with(change: impl FnOnce(&mut Introspection)) -> Introspection {
    let mut token = token();
    change(&mut token);
    token
}

async fn carry_out(log: &MemoryLog, request: AdminRequest) -> AdminResponse {
    let administration = Administration::new(log.clone()).longest_lifetime(24 * HOUR);
    administration.oneshot(request).await.unwrap()
}

/// Returns whether the token is revoked, and whether one that is issued in the next second is.
async fn revokes(target: Target, token: &Introspection) -> (bool, bool) {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let response = carry_out(&log, AdminRequest::new(target)).await;
    let mut later = token.clone();
    // A record without an end has no next second.
    later.iat = Some(response.not_before.min(NumericDate::now()) + Duration::from_secs(1));
    assert_eq!(index.len(), 1);
    (index.covers(token), index.covers(&later))
}

#[tokio::test]
async fn each_target_revokes_its_tokens_and_no_others() {
    const ALIVE: (bool, bool) = (false, false);
    const PAST_AND_FUTURE: (bool, bool) = (true, true);
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
        (one(ISSUER, "jti-1"), PAST_AND_FUTURE),
        (one(ISSUER, "jti-2"), ALIVE),
        (one("https://other.example.com", "jti-1"), ALIVE),
        (Target::Grant("g1".into()), PAST_AND_FUTURE),
        (Target::Grant("s1".into()), ALIVE),
        (Target::Session("s1".into()), PAST_AND_FUTURE),
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
            revokes(target.clone(), &token()).await,
            expected,
            "{target:?}"
        );
    }
}

#[tokio::test]
async fn token_in_hand_is_a_target() {
    let target = Target::of_token(&token()).unwrap();
    assert!(matches!(&target, Target::Token { jti, .. } if jti == "jti-1"));
    assert_eq!(revokes(target, &token()).await, (true, true));

    let opaque = token_with(|token| token.token = Some(Selector::opaque_token([7; 32])));
    let target = Target::of_token(&opaque).unwrap();
    assert_eq!(target, Target::OpaqueToken([7; 32]));
    assert_eq!(revokes(target.clone(), &opaque).await, (true, true));
    assert_eq!(revokes(target, &token()).await, (false, false));

    assert_eq!(
        Target::of_token(&token_with(|token| token.token = None)),
        None
    );
}

#[tokio::test]
async fn request_within_a_tenant_spares_the_same_names_of_other_tenants() {
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
        let of = |tenant: &str| token_with(|token| token.tenant = Some(tenant.into()));
        assert!(index.covers(&of("one")), "{target:?}");
        assert!(!index.covers(&of("other")), "{target:?}");
        assert!(!index.covers(&token()), "{target:?}");
    }
}

#[tokio::test]
async fn tenant_is_ignored_for_tokens_keys_and_issuers() {
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
async fn response_has_the_position_of_the_log_and_the_times_of_the_record() {
    let log = MemoryLog::new();
    let before = NumericDate::now();
    for (sequence, target) in [
        (1, Target::Subject("alice".into())),
        (2, Target::Grant("g1".into())),
    ] {
        let response = carry_out(&log, AdminRequest::new(target.clone())).await;
        let snapshot = Snapshot::of(&log).await.unwrap();
        assert_eq!(response.position, snapshot.position);
        assert_eq!(response.position.sequence, sequence);
        let times = (response.not_before, response.expires);
        let has_times = |record: &Revocation| (record.not_before(), record.expires()) == times;
        assert!(snapshot.records.iter().any(has_times));
        assert!(response.expires >= before + 24 * HOUR);
        assert!(response.expires < NumericDate::now() + 48 * HOUR);
    }
}

#[tokio::test]
async fn records_are_kept_forever_without_a_longest_lifetime() {
    let request = AdminRequest::new(Target::Client("c1".into()));
    let response = Administration::new(MemoryLog::new())
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(response.expires, NumericDate::FOREVER);
}

#[tokio::test]
async fn leeway_keeps_records_longer() {
    let request = || AdminRequest::new(Target::Client("c1".into()));
    let response = |leeway| {
        Administration::new(MemoryLog::new())
            .longest_lifetime(HOUR)
            .leeway(leeway)
            .oneshot(request())
    };
    let (short, long) = (response(Duration::ZERO).await, response(24 * HOUR).await);
    assert!(long.unwrap().expires >= short.unwrap().expires + 23 * HOUR);
}

#[tokio::test]
async fn request_can_be_repeated() {
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
    assert_eq!(Snapshot::of(&log).await.unwrap().records.len(), 2);
}

/// A log whose appends fail with this kind or, without a kind, never return.
#[derive(Clone)]
struct Broken(Option<LogErrorKind>);

impl RevocationLog for Broken {
    async fn append(&self, _: Vec<Revocation>) -> Result<Position, LogError> {
        match self.0 {
            Some(kind) => Err(LogError::new(kind).caused_by("the disk\nis gone")),
            None => pending().await,
        }
    }

    async fn follow(&self, _: Weak<dyn Reader>) -> Result<(), LogError> {
        Err(LogError::new(LogErrorKind::Storage))
    }

    fn health(&self) -> LogHealth {
        LogHealth::writable()
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

/// The error that decides the HTTP response.
fn response_error(error: &LogError) -> Option<&Error> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

#[tokio::test]
async fn failed_append_is_an_error() {
    let request = || AdminRequest::new(Target::Grant("g1".into()));
    for kind in [
        LogErrorKind::Storage,
        LogErrorKind::Closed,
        LogErrorKind::QueueFull,
    ] {
        let broken = Administration::new(Broken(Some(kind)));
        let error = broken.oneshot(request()).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(response_error(&error).is_none());
    }
    let full = Administration::new(Broken(Some(LogErrorKind::Full)));
    let error = full.oneshot(request()).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Full);
    let response = response_error(&error).unwrap();
    assert_eq!(response.kind(), ErrorKind::Unavailable);
    assert_eq!(response.retry_delay(), Some(Duration::from_secs(60)));
}
