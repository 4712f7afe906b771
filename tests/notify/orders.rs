//! Orders of operators, of which issuers are told.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    admin::{Access, AdminService, Tenants, Trail},
    enforce::Index,
    introspect::jwt::JwtTokens,
    log::{MemoryJournal, MemoryLog},
    notify::{Keycloak, Notifier, Recipients, Webhook},
    revoke::Administration,
    test_util::TestIssuer,
};

use super::receiver::{self, ANYWHERE, Receiver, status};

const SHOP: &str = "https://shop.test";
const BANK: &str = "https://bank.test";
const OTHER: &str = "https://other.test";
const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Three issuers: one with Keycloak, one with a webhook, and one that is not told.
struct World {
    keycloak: Receiver,
    hook: Receiver,
    log: MemoryLog,
    index: Index,
    journal: MemoryJournal,
    issuer: TestIssuer,
}

impl World {
    async fn new() -> Self {
        let log = MemoryLog::new();
        Self {
            keycloak: receiver::keycloak_at(ANYWHERE).await,
            hook: Receiver::start(|_| status(204)).await,
            index: Index::follow(&log).await.unwrap(),
            log,
            journal: MemoryJournal::new(),
            issuer: TestIssuer::new(SHOP),
        }
    }

    fn notifier(&self) -> Notifier {
        let realm = format!("{}/realms/shop", self.keycloak.url);
        let keycloak = Keycloak::new(&realm, "revocation", &Secret::new("s3cret")).unwrap();
        let hook = Webhook::new(&self.hook.url, &[Secret::new(KEY)]).unwrap();
        Notifier::new(
            Recipients::new()
                .keycloak(SHOP, keycloak)
                .webhook(BANK, hook),
        )
    }

    fn trail(&self) -> Trail {
        let trail = Trail::new(self.journal.clone()).on_revoke(self.notifier());
        tokio::spawn(trail.tell_issuers());
        trail
    }

    fn service(&self, tenants: Tenants) -> AdminService<MemoryLog, JwtTokens> {
        let administration = Administration::new(self.log.clone());
        let tokens = self.issuer.tokens().tenant(SHOP);
        let access = Access::owner("root");
        AdminService::new(administration, self.index.clone(), tokens, tenants, access)
    }

    fn told(&self) -> AdminService<MemoryLog, JwtTokens> {
        let tenants = Tenants::each_issuer([SHOP, BANK, OTHER]);
        self.service(tenants).trail(self.trail())
    }
}

type Service = AdminService<MemoryLog, JwtTokens>;

async fn call(service: &Service, request: Request<Full<Bytes>>) -> (StatusCode, Value) {
    let response = service.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

/// The receipt of an order.
async fn order(service: &Service, issuer: Option<&str>, target: Value) -> Value {
    let order = json!({ "target": target, "issuer": issuer });
    let request = Request::post("/v1/revocations")
        .header("content-type", "application/json")
        .body(Full::from(order.to_string()))
        .unwrap();
    let (status, receipt) = call(service, request).await;
    assert_eq!(status, 201, "{receipt}");
    receipt
}

/// What is shown of an order.
async fn shown(service: &Service, receipt: &Value) -> Value {
    let id = receipt["id"].as_str().unwrap();
    let request = Request::get(format!("/v1/revocations/{id}"));
    // As every request of a browser with another origin cannot.
    let request = request.header("content-type", "application/json");
    let (status, shown) = call(service, request.body(Full::default()).unwrap()).await;
    assert_eq!(status, 200, "{shown}");
    shown
}

/// What is shown of an order once its refresh tokens are like this.
async fn becomes(service: &Service, receipt: &Value, refresh_tokens: &str) -> Value {
    let begun = Instant::now();
    loop {
        let shown = shown(service, receipt).await;
        if shown["refresh_tokens"] == refresh_tokens {
            return shown;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{shown}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn keycloak_is_told_of_a_subject() {
    let world = World::new().await;
    let service = world.told();
    let receipt = order(&service, Some(SHOP), json!({ "subject": "alice" })).await;
    assert_eq!(receipt["refresh_tokens"], "pending");
    let shown = becomes(&service, &receipt, "ended").await;
    assert_eq!(
        shown["receipt"]["refresh_tokens"], "pending",
        "as it was told"
    );
    let delivery = &shown["deliveries"][0];
    assert_eq!(
        (&delivery["issuer"], &delivery["attempts"]),
        (&json!(SHOP), &json!(1))
    );
    assert!(delivery["at"].is_u64() && delivery["next"].is_null());
    let calls = world.keycloak.requests("/users/alice/logout", 1).await;
    assert_eq!(calls.len(), 1);
    assert!(world.hook.received().is_empty());
}

#[tokio::test]
async fn failure_is_shown_and_repeated() {
    let world = World::new().await;
    let service = world.told();
    world.keycloak.next(status(503));
    let receipt = order(&service, Some(SHOP), json!({ "subject": "alice" })).await;
    let calls = world.keycloak.requests("/token", 1).await;
    assert_eq!(calls.len(), 1);
    let shown = becomes(&service, &receipt, "ended").await;
    assert_eq!(shown["deliveries"][0]["attempts"], 2);
}

#[tokio::test]
async fn receiver_that_is_gone_has_failed() {
    let world = World::new().await;
    let service = world.told();
    world.hook.next(status(410));
    let receipt = order(&service, Some(BANK), json!({ "subject": "alice" })).await;
    let shown = becomes(&service, &receipt, "failed").await;
    let delivery = &shown["deliveries"][0];
    assert_eq!(
        (&delivery["state"], &delivery["failure"]),
        (&json!("failed"), &json!("gone"))
    );
    // To repeat the delivery, the order is repeated.
    let again = order(&service, Some(BANK), json!({ "subject": "alice" })).await;
    becomes(&service, &again, "ended").await;
    let [first, second] = &world.hook.requests("", 2).await[..] else {
        panic!("two notices");
    };
    assert_ne!(first.headers["webhook-id"], second.headers["webhook-id"]);
}

#[tokio::test]
async fn webhook_is_told_of_everything_with_an_end() {
    let world = World::new().await;
    let service = world.told();
    for (target, class) in [
        (
            json!({ "subject": "alice", "client": "shop" }),
            "subject_and_client",
        ),
        (json!({ "client": "shop" }), "client"),
        (json!({ "issuer": BANK }), "issuer"),
    ] {
        let receipt = order(&service, Some(BANK), target.clone()).await;
        assert_eq!(receipt["refresh_tokens"], "pending", "{target}");
        let shown = becomes(&service, &receipt, "ended").await;
        let notice = world.hook.received().pop().unwrap();
        let notice: Value = serde_json::from_slice(&notice.body).unwrap();
        assert_eq!(notice["data"]["class"], class);
        assert_eq!(notice["data"]["issuer"], BANK);
        assert_eq!(notice["data"]["subject"], target["subject"]);
        assert_eq!(notice["data"]["client_id"], target["client"]);
        assert_eq!(notice["data"]["before"], shown["receipt"]["not_before"]);
    }
}

#[tokio::test]
async fn key_is_told_to_each_issuer_that_can_be_told() {
    let world = World::new().await;
    let service = world.told();
    let key = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    let receipt = order(&service, None, json!({ "key": key })).await;
    world.hook.requests("", 1).await;
    let shown = becomes(&service, &receipt, "untouched").await;
    assert_eq!(shown["deliveries"][0]["issuer"], BANK);
    assert!(shown["deliveries"][1].is_null());
}

#[tokio::test]
async fn receipt_says_that_nobody_is_told() {
    let world = World::new().await;
    let service = world.told();
    for (issuer, target) in [
        (SHOP, json!({ "client": "shop" })),
        (SHOP, json!({ "subject": "alice", "client": "shop" })),
        (OTHER, json!({ "subject": "alice" })),
    ] {
        let receipt = order(&service, Some(issuer), target).await;
        assert_eq!(receipt["refresh_tokens"], "untouched", "{receipt}");
        let shown = shown(&service, &receipt).await;
        assert_eq!(shown["refresh_tokens"], "untouched");
    }
    // Nor without a trail, or if nobody tells.
    for service in [
        world.service(Tenants::each_issuer([SHOP])),
        world
            .service(Tenants::each_issuer([SHOP]))
            .trail(Trail::new(world.journal.clone())),
    ] {
        let receipt = order(&service, None, json!({ "subject": "alice" })).await;
        assert_eq!(receipt["refresh_tokens"], "untouched", "{receipt}");
    }
}

#[tokio::test]
async fn order_that_is_for_ever_needs_nobody_else() {
    let world = World::new().await;
    let service = world.told();
    let token = world.issuer.token().session("s1").sign();
    for target in [
        json!({ "session": "s1" }),
        json!({ "grant": "g1" }),
        json!({ "jti": "j1" }),
        json!({ "token": token }),
    ] {
        let receipt = order(&service, Some(SHOP), target).await;
        assert_eq!(receipt.get("refresh_tokens"), None, "{receipt}");
        let shown = shown(&service, &receipt).await;
        assert_eq!(shown.get("refresh_tokens"), None);
    }
    assert!(world.keycloak.received().is_empty());
}

#[tokio::test]
async fn repeated_request_tells_once() {
    let world = World::new().await;
    let service = world.told();
    let order = json!({ "target": { "subject": "alice" }, "issuer": SHOP });
    let mut receipts = Vec::new();
    for _ in 0..2 {
        let request = Request::post("/v1/revocations")
            .header("content-type", "application/json")
            .header("idempotency-key", "k1")
            .body(Full::from(order.to_string()))
            .unwrap();
        let (status, receipt) = call(&service, request).await;
        assert_eq!(status, 201);
        becomes(&service, &receipt, "ended").await;
        receipts.push(receipt);
    }
    assert_eq!(receipts[0], receipts[1]);
    assert_eq!(world.keycloak.requests("/logout", 1).await.len(), 1);
}

#[tokio::test]
async fn process_that_starts_later_tells() {
    let world = World::new().await;
    let tenants = || Tenants::each_issuer([SHOP]);
    let trail = Trail::new(world.journal.clone()).on_revoke(world.notifier());
    let service = world.service(tenants()).trail(trail);
    let receipt = order(&service, None, json!({ "subject": "alice" })).await;
    assert_eq!(shown(&service, &receipt).await["refresh_tokens"], "pending");
    // The first one never tells.
    let second = world.service(tenants()).trail(world.trail());
    becomes(&second, &receipt, "ended").await;
    assert_eq!(shown(&service, &receipt).await["refresh_tokens"], "ended");
}

#[tokio::test]
async fn common_subject_is_told_to_each_issuer() {
    let world = World::new().await;
    let service = world
        .service(Tenants::none([SHOP, BANK]))
        .trail(world.trail());
    let receipt = order(&service, None, json!({ "subject": "alice" })).await;
    let shown = becomes(&service, &receipt, "ended").await;
    assert_eq!(shown["deliveries"].as_array().unwrap().len(), 2);
    assert_eq!(world.keycloak.requests("/logout", 1).await.len(), 1);
    assert_eq!(world.hook.requests("", 1).await.len(), 1);
}
