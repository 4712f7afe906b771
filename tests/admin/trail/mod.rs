//! The orders that a server keeps.

mod export;
mod idempotency;
mod pages;

use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt as _, ready};
use tower::service_fn;
use tower_revocation::{
    admin::{Trail, TrailEntry},
    introspect::{Introspected, IssuedWith, TokenKind},
    log::{
        Durability, Journal, JournalChange, JournalEntry, JournalWrite, LogError, LogErrorKind,
        LogHealth, MemoryJournal, NewJournalEntry, Position, Reader, Revocation,
    },
};

use super::*;

/// A journal that counts what is asked of it, and fails if it is told to.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    pub(super) journal: MemoryJournal,
    pub(super) writes: Arc<AtomicUsize>,
    pub(super) replaces: Arc<AtomicUsize>,
    pub(super) reads: Arc<AtomicUsize>,
    pub(super) fails_to_write: Arc<AtomicBool>,
    pub(super) fails_to_replace: Arc<AtomicBool>,
    pub(super) fails_to_read: Arc<AtomicBool>,
}

fn failing<T>(switch: &AtomicBool) -> Option<BoxFuture<'static, Result<T, LogError>>>
where
    T: Send + 'static,
{
    let error = LogError::new(LogErrorKind::Storage);
    switch.load(SeqCst).then(|| ready(Err(error)).boxed())
}

impl Journal for Watched {
    fn write(
        &self,
        batch: Vec<NewJournalEntry>,
    ) -> BoxFuture<'_, Result<Vec<JournalWrite>, LogError>> {
        self.writes.fetch_add(1, SeqCst);
        failing(&self.fails_to_write).unwrap_or_else(|| self.journal.write(batch))
    }

    fn replace(&self, batch: Vec<JournalChange>) -> BoxFuture<'_, Result<Vec<bool>, LogError>> {
        self.replaces.fetch_add(1, SeqCst);
        failing(&self.fails_to_replace).unwrap_or_else(|| self.journal.replace(batch))
    }

    fn get(&self, place: u64) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        failing(&self.fails_to_read).unwrap_or_else(|| self.journal.get(place))
    }

    fn find(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        failing(&self.fails_to_read).unwrap_or_else(|| self.journal.find(key))
    }

    fn newest(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>> {
        self.reads.fetch_add(1, SeqCst);
        failing(&self.fails_to_read).unwrap_or_else(|| self.journal.newest(before, limit))
    }

    fn take_due(
        &self,
        limit: usize,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>> {
        self.journal.take_due(limit, lease)
    }

    fn waiting(&self) -> BoxFuture<'_, Result<u64, LogError>> {
        self.journal.waiting()
    }
}

/// A log that counts its appends, and fails if it is told to.
#[derive(Clone)]
pub(super) struct WatchedLog {
    pub(super) log: MemoryLog,
    pub(super) appends: Arc<AtomicUsize>,
    pub(super) fails: Arc<AtomicBool>,
}

impl WatchedLog {
    pub(super) fn of(world: &World) -> Self {
        Self {
            log: world.log.clone(),
            appends: Arc::default(),
            fails: Arc::default(),
        }
    }
}

impl RevocationLog for WatchedLog {
    async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
        self.appends.fetch_add(1, SeqCst);
        if self.fails.load(SeqCst) {
            return Err(LogError::new(LogErrorKind::Storage));
        }
        self.log.append(batch).await
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

impl fmt::Debug for WatchedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WatchedLog")
    }
}

impl World {
    /// A server that keeps its orders here.
    pub(super) fn keeping(
        &self,
        journal: &Watched,
        log: &WatchedLog,
        access: Access,
    ) -> AdminService<WatchedLog, JwtTokens> {
        let administration = Administration::new(log.clone());
        let tenants = Tenants::each_issuer([ISSUER]);
        AdminService::new(
            administration,
            self.index.clone(),
            self.tokens(),
            tenants,
            access,
        )
        .hosts([NAME])
        .trail(Trail::new(journal.clone()))
    }
}

/// A server that keeps its orders, and all that it uses.
pub(super) struct Kept {
    pub(super) world: World,
    pub(super) journal: Watched,
    pub(super) log: WatchedLog,
}

impl Kept {
    pub(super) async fn new() -> Self {
        let world = World::new().await;
        let log = WatchedLog::of(&world);
        let journal = Watched::default();
        Self {
            world,
            journal,
            log,
        }
    }

    pub(super) async fn send(&self, access: Access, request: Request<Full<Bytes>>) -> Answer {
        send(
            self.world.keeping(&self.journal, &self.log, access),
            request,
        )
        .await
    }

    /// As over a Unix socket.
    pub(super) async fn local(&self, request: Request<Full<Bytes>>) -> Answer {
        self.send(Access::owner("root"), request).await
    }

    pub(super) async fn order(&self, order: &Value) -> Answer {
        self.local(post("/v1/revocations", &order.to_string()))
            .await
    }

    /// All orders, from new to old.
    pub(super) async fn orders(&self) -> Vec<TrailEntry> {
        let answer = self.local(get("/v1/revocations?limit=500")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        serde_json::from_value(answer.json["orders"].clone()).unwrap()
    }
}

#[tokio::test]
async fn order_is_kept_with_its_receipt() {
    let kept = Kept::new().await;
    let order = json!({
        "target": { "subject": "alice", "client": "web" },
        "issuer": ISSUER, "reason": "laptop stolen", "before": 1_700_000_000,
    });
    let request = by("operator", post("/v1/revocations", &order.to_string()));
    let answer = kept.send(Access::operators(operators()), request).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json);
    let id = answer.json["id"].as_str().unwrap();
    assert_eq!(answer.headers["location"], format!("/v1/revocations/{id}"));

    let one = kept.local(get(&format!("/v1/revocations/{id}"))).await;
    assert_eq!(one.status, StatusCode::OK);
    let entry: TrailEntry = serde_json::from_value(one.json.clone()).unwrap();
    assert!(NumericDate::now().seconds() - entry.ordered < 60);
    assert_eq!(
        one.json,
        json!({
            "id": id, "ordered": entry.ordered, "actor": "operator-1", "role": "operator",
            "class": "subject_and_client", "target": { "subject": "alice", "client": "web" },
            "issuer": ISSUER, "reason": "laptop stolen", "before": 1_700_000_000,
            "outcome": "revoked", "receipt": answer.json, "refresh_tokens": "untouched",
        })
    );
    assert_eq!(kept.orders().await, [entry]);
}

#[tokio::test]
async fn names_of_sessions_grants_and_tokens_are_fingerprints() {
    let kept = Kept::new().await;
    let token = kept.world.issuer.token().subject("alice").client("web");
    let token = token.id("jti-7").sign();
    for (name, value) in [
        ("session", "s-cookie"),
        ("grant", "code-123"),
        ("jti", "jti-9"),
        ("token", &*token),
    ] {
        let answer = kept.order(&json!({ "target": { name: value } })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json);
        let newest = kept.orders().await.remove(0);
        let shown = serde_json::to_value(&newest).unwrap();
        assert_eq!(shown["target"][name], sha256(value)[..16]);
        let entry = kept.journal.newest(None, 1).await.unwrap().remove(0);
        // Neither is the name in the journal.
        let content = String::from_utf8(entry.content).unwrap();
        assert!(!content.contains(value) && !shown.to_string().contains(value));
        assert_eq!(newest.class, answer.json["class"].as_str().unwrap());
    }
    // Whose token it was.
    let newest = kept.orders().await.remove(0);
    assert_eq!(newest.target.subject.as_deref(), Some("alice"));
    assert_eq!(newest.target.client.as_deref(), Some("web"));
}

#[tokio::test]
async fn what_is_not_carried_out_is_not_kept() {
    let kept = Kept::new().await;
    let alice = json!({ "target": { "subject": "alice" } }).to_string();
    kept.local(post("/v1/revocations?dry_run=true", &alice))
        .await;
    let remote = || Access::operators(operators());
    let refused = kept.send(remote(), by("viewer", post("/v1/revocations", &alice)));
    refused.await.is_problem(403);
    let client = json!({ "target": { "client": "web" } }).to_string();
    let refused = kept.send(remote(), by("operator", post("/v1/revocations", &client)));
    refused.await.is_problem(403);
    kept.order(&json!({ "target": { "token": "opaque" } }))
        .await
        .is_problem(422);
    let long = "x".repeat(4097);
    kept.order(&json!({ "target": { "subject": "a" }, "reason": long }))
        .await
        .is_problem(400);
    assert!(kept.orders().await.is_empty());
    assert_eq!(kept.journal.writes.load(SeqCst), 0);
    assert_eq!(kept.world.records().await, 0);
}

#[tokio::test]
async fn order_that_cannot_be_written_is_503_and_revokes_nothing() {
    let kept = Kept::new().await;
    kept.journal.fails_to_write.store(true, SeqCst);
    let order = json!({ "target": { "subject": "alice" } });
    let answer = kept.order(&order).await;
    answer.is_problem(503);
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(kept.log.appends.load(SeqCst), 0);
    assert_eq!(kept.world.records().await, 0);
}

#[tokio::test]
async fn order_whose_outcome_cannot_be_written_is_503_and_unknown() {
    let kept = Kept::new().await;
    kept.journal.fails_to_replace.store(true, SeqCst);
    let order = json!({ "target": { "subject": "alice" } });
    kept.order(&order).await.is_problem(503);
    let [entry] = &*kept.orders().await else {
        panic!("it is kept");
    };
    assert_eq!((&*entry.outcome, &entry.receipt), ("unknown", &None));
    assert_eq!(kept.world.records().await, 1);
}

#[tokio::test]
async fn order_that_fails_is_503_and_failed() {
    let kept = Kept::new().await;
    kept.log.fails.store(true, SeqCst);
    let order = json!({ "target": { "subject": "alice" } });
    kept.order(&order).await.is_problem(503);
    let [entry] = &*kept.orders().await else {
        panic!("it is kept");
    };
    assert_eq!((&*entry.outcome, &entry.receipt), ("failed", &None));
    // To repeat it does no harm.
    kept.log.fails.store(false, SeqCst);
    assert_eq!(kept.order(&order).await.status, StatusCode::CREATED);
    assert_eq!(kept.orders().await.len(), 2);
}

#[tokio::test]
async fn identifier_names_one_order() {
    let kept = Kept::new().await;
    let answer = kept.order(&json!({ "target": { "subject": "a" } })).await;
    let id = answer.json["id"].as_str().unwrap().to_owned();
    let other = if id.ends_with('0') { "1" } else { "0" };
    let wrong_tag = format!("{}{other}", &id[..id.len() - 1]);
    for wrong in [
        &*wrong_tag,
        "2-00000000",
        "1",
        "",
        "x",
        &format!("{id}/"),
        &format!("0{id}"),
        "18446744073709551615-00000000",
    ] {
        kept.local(get(&format!("/v1/revocations/{wrong}")))
            .await
            .is_problem(404);
    }
    kept.local(get(&format!("/v1/revocations/{id}?x=1")))
        .await
        .is_problem(400);
    kept.local(post(&format!("/v1/revocations/{id}"), "{}"))
        .await
        .is_problem(405);
    kept.journal.fails_to_read.store(true, SeqCst);
    kept.local(get(&format!("/v1/revocations/{id}")))
        .await
        .is_problem(503);
    kept.local(get("/v1/revocations")).await.is_problem(503);
    kept.local(get("/v1/revocations:export"))
        .await
        .is_problem(503);
}

#[tokio::test]
async fn role_limits_who_reads_the_orders() {
    let kept = Kept::new().await;
    let answer = kept.order(&json!({ "target": { "subject": "a" } })).await;
    let one = format!("/v1/revocations/{}", answer.json["id"].as_str().unwrap());
    for role in ROLES {
        for path in ["/v1/revocations", &one] {
            let request = by(role, get(path));
            let answer = kept.send(Access::operators(operators()), request).await;
            assert_eq!(answer.status, StatusCode::OK);
        }
    }
    for role in ["viewer", "operator"] {
        let request = by(role, get("/v1/revocations:export"));
        let answer = kept.send(Access::operators(operators()), request).await;
        answer.is_problem(403);
    }
}

#[tokio::test]
async fn server_without_a_trail_keeps_nothing_and_says_so() {
    let world = World::new().await;
    let order = json!({ "target": { "subject": "alice" } });
    let answer = world.order(&order).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert!(answer.json.get("id").is_none() && !answer.headers.contains_key("location"));
    for path in [
        "/v1/revocations",
        "/v1/revocations/1-00000000",
        "/v1/revocations:export",
    ] {
        let answer = send(world.local(), get(path)).await;
        answer.is_problem(404);
        assert_eq!(answer.json["detail"], "the server keeps no orders");
    }
    let request = with(
        post("/v1/revocations", &order.to_string()),
        "idempotency-key",
        "k",
    );
    let answer = send(world.local(), request).await;
    answer.is_problem(400);
    assert!(
        answer.json["detail"]
            .as_str()
            .unwrap()
            .contains("keeps no orders")
    );
    assert_eq!(world.records().await, 1);
}
