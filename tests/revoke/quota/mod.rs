//! The quota of a client: no client uses up the log for all clients.

use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

mod observe;

use bytes::Bytes;
use futures::{executor::block_on, future::join_all};
use http_body_util::Full;
use hyper::Request;
use tower::{BoxError, Service, ServiceExt as _, service_fn};
use tower_revocation::{
    Error, ErrorKind, Outcome, RevocationLayer, RevocationRequest, Secret,
    client::Credentials,
    introspect::{Introspection, TokenKind},
    log::{
        Appended, Durability, EmbeddedLog, LogError, LogErrorKind, LogHealth, MemoryLog, Position,
        Reader, Revocation, RevocationLog, Selector, Snapshot,
    },
    revoke::{AdminRequest, Administration, Cascade, RecordRevocation, Target},
};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::SubscriberExt as _;

/// A token contains its tenant, client and grant: `tenant.client.grant`.
async fn introspect(token: Secret) -> Result<Option<Introspection>, BoxError> {
    let mut words = token.expose().split('.');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let tenant = word();
    let mut introspection = Introspection::new(TokenKind::RefreshToken, word());
    introspection.tenant = Some(tenant);
    introspection.grant = Some(word());
    introspection.sub = Some("alice".into());
    Ok(Some(introspection))
}

trait Revoke {
    async fn revoke(&self, token: &str) -> Result<Outcome, ErrorKind>;
}

impl<B> Revoke for B
where
    B: Service<RevocationRequest<String>, Response = Outcome, Error = BoxError> + Clone,
{
    async fn revoke(&self, token: &str) -> Result<Outcome, ErrorKind> {
        let client = token.split('.').nth(1).unwrap().to_owned();
        let request = RevocationRequest::new(client, Secret::new(token));
        self.clone().oneshot(request).await.map_err(|error| {
            let error = error.downcast::<Error>().unwrap();
            assert_eq!(error.retry_delay(), Some(Duration::from_secs(60)));
            error.kind()
        })
    }
}

const REVOKED: Result<Outcome, ErrorKind> = Ok(Outcome::Revoked);
const REFUSED: Result<Outcome, ErrorKind> = Err(ErrorKind::Unavailable);

#[tokio::test]
async fn client_beyond_its_quota_is_refused_and_others_are_not() {
    let log = MemoryLog::new();
    let backend = RecordRevocation::new(service_fn(introspect), log.clone()).quota(2);
    assert_eq!(backend.revoke("t.c1.g1").await, REVOKED);
    assert_eq!(backend.revoke("t.c1.g2").await, REVOKED);
    assert_eq!(backend.revoke("t.c1.g3").await, REFUSED);
    assert_eq!(Snapshot::of(&log).await.unwrap().records.len(), 2);

    assert_eq!(backend.revoke("t.c2.g4").await, REVOKED);
    // A client of another tenant is another client, even if it has the same name.
    assert_eq!(backend.revoke("u.c1.g5").await, REVOKED);
}

#[tokio::test]
async fn repeated_revocation_does_not_count_and_is_not_refused() {
    let backend = RecordRevocation::new(service_fn(introspect), MemoryLog::new()).quota(2);
    for _ in 0..10 {
        assert_eq!(backend.revoke("t.c1.g1").await, REVOKED);
    }
    assert_eq!(backend.revoke("t.c1.g2").await, REVOKED);
    assert_eq!(backend.revoke("t.c1.g3").await, REFUSED);
    assert_eq!(backend.revoke("t.c1.g1").await, REVOKED);
}

#[tokio::test]
async fn cascade_beyond_the_quota_writes_nothing() {
    let log = MemoryLog::new();
    let backend = RecordRevocation::new(service_fn(introspect), log.clone())
        .refresh_token_cascade(Cascade::Subject)
        .quota(3);
    assert_eq!(backend.revoke("t.c1.g1").await, REVOKED);
    // The subject already has a record.
    assert_eq!(backend.revoke("t.c1.g2").await, REVOKED);
    let before = Snapshot::of(&log).await.unwrap().position;
    assert_eq!(backend.revoke("t.c1.g3").await, REFUSED);
    assert_eq!(Snapshot::of(&log).await.unwrap().position, before);
}

#[tokio::test]
async fn concurrent_revocations_stay_within_the_quota() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let backend = RecordRevocation::new(service_fn(introspect), log.clone()).quota(10);
    let tokens: Vec<_> = (0..100).map(|grant| format!("t.c1.{grant}")).collect();
    let results = join_all(tokens.iter().map(|token| backend.revoke(token))).await;
    let revoked = results.iter().filter(|result| **result == REVOKED).count();
    assert_eq!(revoked, 10);
    assert_eq!(Snapshot::of(&log).await.unwrap().records.len(), 10);
}

#[tokio::test]
async fn administration_has_no_quota_but_the_ceiling_applies() {
    let log = MemoryLog::new().ceiling(4);
    let backend = RecordRevocation::new(service_fn(introspect), log.clone()).quota(1);
    assert_eq!(backend.revoke("t.c1.g1").await, REVOKED);
    assert_eq!(backend.revoke("t.c1.g2").await, REFUSED);
    let request = |grant: &str| AdminRequest::new(Target::Grant(grant.into())).within("t");
    for grant in ["g2", "g3", "g4"] {
        let administration = Administration::new(log.clone());
        administration.oneshot(request(grant)).await.unwrap();
    }
    let administration = Administration::new(log.clone());
    administration.oneshot(request("g5")).await.unwrap_err();
    // The client can revoke again what an operator has revoked.
    assert_eq!(backend.revoke("t.c1.g2").await, REVOKED);
}

/// A log that notes the client of each append.
#[derive(Clone, Default)]
struct ClientsOfAppends(Arc<Mutex<Vec<Selector>>>);

impl RevocationLog for ClientsOfAppends {
    async fn append(&self, _: Vec<Revocation>) -> Result<Position, LogError> {
        unreachable!("every append names a client")
    }

    async fn append_for(
        &self,
        client: Selector,
        _: usize,
        _: Vec<Revocation>,
    ) -> Result<Option<Appended>, LogError> {
        self.0.lock().unwrap().push(client);
        Err(LogError::new(LogErrorKind::QueueFull))
    }

    async fn follow(&self, _: Weak<dyn Reader>) -> Result<(), LogError> {
        unreachable!("the log has no readers")
    }

    fn health(&self) -> LogHealth {
        LogHealth::writable()
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

#[tokio::test]
async fn append_names_its_client_with_and_without_a_quota() {
    let clients = ClientsOfAppends::default();
    let backend = RecordRevocation::new(service_fn(introspect), clients.clone());
    for backend in [backend.clone(), backend.quota(10)] {
        let request = RevocationRequest::new("c1".to_owned(), Secret::new("t.c1.g1"));
        let error = backend.oneshot(request).await.unwrap_err();
        let error = error.downcast::<LogError>().unwrap();
        assert_eq!(error.kind(), LogErrorKind::QueueFull);
    }
    let client = Selector::client("c1").within("t");
    assert_eq!(*clients.0.lock().unwrap(), [client, client]);
}

#[test]
#[should_panic(expected = "a quota of zero records allows no revocation")]
fn quota_of_zero_panics() {
    let _ = RecordRevocation::new(service_fn(introspect), MemoryLog::new()).quota(0);
}

/// A log whose next appends fail.
#[derive(Clone)]
struct Failing {
    log: MemoryLog,
    failures: Arc<Mutex<Vec<LogErrorKind>>>,
    /// Whether the failed appends are in the log nevertheless.
    appends: bool,
}

impl RevocationLog for Failing {
    async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
        self.log.append(batch).await
    }

    async fn append_for(
        &self,
        client: Selector,
        new: usize,
        batch: Vec<Revocation>,
    ) -> Result<Option<Appended>, LogError> {
        let failure = self.failures.lock().unwrap().pop();
        let Some(kind) = failure else {
            return self.log.append_for(client, new, batch).await;
        };
        if self.appends {
            self.log.append_for(client, new, batch).await?;
        }
        Err(LogError::new(kind))
    }

    async fn follow(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        self.log.follow(reader).await
    }

    fn health(&self) -> LogHealth {
        self.log.health()
    }

    fn durability(&self) -> Durability {
        self.log.durability()
    }
}

#[tokio::test]
async fn failed_appends_do_not_use_up_the_quota() {
    for appends in [false, true] {
        let log = Failing {
            log: MemoryLog::new(),
            failures: Arc::new(Mutex::new(vec![
                LogErrorKind::Storage,
                LogErrorKind::Missing,
                LogErrorKind::Closed,
            ])),
            appends,
        };
        let backend = RecordRevocation::new(service_fn(introspect), log.clone()).quota(3);
        let tokens = ["t.c1.g1", "t.c1.g2", "t.c1.g3"];
        for token in tokens {
            let request = RevocationRequest::new("c1".to_owned(), Secret::new(token));
            let error = backend.clone().oneshot(request).await.unwrap_err();
            assert!(error.downcast_ref::<LogError>().is_some(), "{error}");
        }
        let records = Snapshot::of(&log).await.unwrap().records.len();
        assert_eq!(records, if appends { 3 } else { 0 });
        // The client tries again.
        for token in tokens {
            assert_eq!(backend.revoke(token).await, REVOKED);
        }
        assert_eq!(Snapshot::of(&log).await.unwrap().records.len(), 3);
    }
}
