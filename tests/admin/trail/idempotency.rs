//! `Idempotency-Key`.

use super::*;

const ALICE: &str = r#"{"target":{"subject":"alice"}}"#;

fn keyed(key: &str, body: &str) -> Request<Full<Bytes>> {
    with(post("/v1/revocations", body), "idempotency-key", key)
}

impl Kept {
    /// The only order was begun an hour ago. Returns when.
    async fn an_hour_passes(&self) -> u64 {
        let [entry] = &*self.orders().await else {
            panic!("it is kept");
        };
        let place = entry.id.split('-').next().unwrap().parse().unwrap();
        let at = self.journal.get(place).await.unwrap().unwrap();
        let earlier = entry.ordered - 3600;
        let content = String::from_utf8(at.content.clone()).unwrap();
        let content = content.replace(&entry.ordered.to_string(), &earlier.to_string());
        let change = at.change(content.into_bytes(), None);
        assert_eq!(self.journal.replace(vec![change]).await.unwrap(), [true]);
        earlier
    }
}

#[tokio::test]
async fn repetition_gets_the_stored_answer_and_revokes_nothing() {
    let kept = Kept::new().await;
    let first = kept.local(keyed("\"order-1\"", ALICE)).await;
    assert_eq!(first.status, StatusCode::CREATED);
    for key in ["\"order-1\"", "order-1"] {
        let again = kept.local(keyed(key, ALICE)).await;
        assert_eq!((again.status, &again.json), (first.status, &first.json));
        assert_eq!(again.headers["location"], first.headers["location"]);
    }
    assert_eq!(kept.log.appends.load(SeqCst), 1);
    let [entry] = &*kept.orders().await else {
        panic!("it is kept once");
    };
    assert_eq!(
        entry.idempotency_key.as_deref(),
        Some(&sha256("order-1")[..16])
    );
    // Without the key, and with another one, it is another order.
    assert_eq!(
        kept.order(&json!({ "target": { "subject": "alice" } }))
            .await
            .status,
        201
    );
    assert_eq!(kept.local(keyed("order-2", ALICE)).await.status, 201);
    assert_eq!(kept.orders().await.len(), 3);
}

#[tokio::test]
async fn key_with_another_body_is_422_and_revokes_nothing() {
    let kept = Kept::new().await;
    kept.local(keyed("k", ALICE)).await;
    for body in [
        r#"{"target":{"subject":"bob"}}"#,
        r#"{"target":{"subject":"alice"},"reason":"r"}"#,
        r#"{"target":{"subject":"alice"} }"#,
    ] {
        kept.local(keyed("k", body)).await.is_problem(422);
    }
    let bulk = format!(r#"{{"orders":[{ALICE}]}}"#);
    let bulk = with(post("/v1/revocations:bulk", &bulk), "idempotency-key", "k");
    kept.local(bulk).await.is_problem(422);
    assert_eq!(kept.world.records().await, 1);
    assert_eq!(kept.orders().await.len(), 1);
}

#[tokio::test]
async fn key_of_another_actor_is_another_key() {
    let kept = Kept::new().await;
    for role in ["operator", "security"] {
        let request = by(role, keyed("k", ALICE));
        let answer = kept.send(Access::operators(operators()), request).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    let orders = kept.orders().await;
    assert_eq!(orders.len(), 2);
    assert_ne!(orders[0].id, orders[1].id);
}

/// The process ended before the outcome was written. Tokens that were issued since are not those that
/// the order is about.
#[tokio::test]
async fn repetition_of_what_was_not_completed_reaches_until_the_first_attempt() {
    for (append_fails, outcome) in [(true, "failed"), (false, "unknown")] {
        let kept = Kept::new().await;
        kept.log.fails.store(append_fails, SeqCst);
        kept.journal.fails_to_replace.store(!append_fails, SeqCst);
        kept.local(keyed("k", ALICE)).await.is_problem(503);
        let [entry] = &*kept.orders().await else {
            panic!("it is kept");
        };
        assert_eq!(entry.outcome, outcome);
        kept.log.fails.store(false, SeqCst);
        kept.journal.fails_to_replace.store(false, SeqCst);
        let earlier = kept.an_hour_passes().await;

        let answer = kept.local(keyed("k", ALICE)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json);
        if append_fails {
            assert_eq!(answer.json["not_before"], earlier);
        }
        let [entry] = &*kept.orders().await else {
            panic!("it is kept once");
        };
        assert_eq!(entry.outcome, "revoked");
        assert_eq!(answer.json["id"], *entry.id);
        let again = kept.local(keyed("k", ALICE)).await;
        assert_eq!(again.json, answer.json);
    }
}

/// A token that was issued with the refresh token after the first attempt falls with it.
#[tokio::test]
async fn repetition_about_a_token_reaches_until_now() {
    let kept = Kept::new().await;
    let linked = service_fn(|_: Secret| {
        let mut known = Introspection::new(TokenKind::RefreshToken, "test-client");
        known.tenant = Some(ISSUER.into());
        known.sub = Some("test-subject".into());
        known.grant = Some("link:1".into());
        let mut with = IssuedWith::default();
        with.unnamed_until = Some(NumericDate::FOREVER);
        known.issued_with = Some(Box::new(with));
        std::future::ready(Ok::<_, BoxError>(Introspected::Token(known)))
    });
    let service = AdminService::new(
        Administration::new(kept.log.clone()),
        kept.world.index.clone(),
        linked,
        Tenants::each_issuer([ISSUER]),
        Access::owner("root"),
    )
    .trail(Trail::new(kept.journal.clone()));
    let body = json!({ "target": { "token": "refresh" } }).to_string();
    kept.log.fails.store(true, SeqCst);
    send(service.clone(), keyed("k", &body))
        .await
        .is_problem(503);
    kept.log.fails.store(false, SeqCst);
    kept.an_hour_passes().await;
    let issued_since = kept.world.issuer.token().sign();
    let again = send(service, keyed("k", &body)).await;
    assert_eq!(again.status, StatusCode::CREATED, "{}", again.json);
    assert!(!kept.world.is_live(&issued_since).await);
}

#[tokio::test]
async fn repetition_about_a_token_does_not_look_at_it_again() {
    let kept = Kept::new().await;
    let token = kept.world.issuer.token().sign();
    let body = json!({ "target": { "token": token } }).to_string();
    let first = kept.local(keyed("k", &body)).await;
    assert_eq!(first.status, StatusCode::CREATED);
    // Nobody knows it any more.
    let log = kept.log.clone();
    let other = TestIssuer::new(ISSUER);
    let service = AdminService::new(
        Administration::new(log),
        kept.world.index.clone(),
        other.tokens().tenant(ISSUER),
        Tenants::each_issuer([ISSUER]),
        Access::owner("root"),
    )
    .trail(Trail::new(kept.journal.clone()));
    let again = send(service, keyed("k", &body)).await;
    assert_eq!((again.status, again.json), (first.status, first.json));
}

#[tokio::test]
async fn requests_with_one_key_at_once_are_one_order() {
    let kept = Kept::new().await;
    let requests = (0..8).map(|_| kept.local(keyed("k", ALICE)));
    let answers = futures::future::join_all(requests).await;
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::CREATED);
        assert_eq!(answer.json["id"], answers[0].json["id"]);
    }
    assert_eq!(kept.orders().await.len(), 1);
}

#[tokio::test]
async fn invalid_key_is_400() {
    let kept = Kept::new().await;
    for key in ["", "\"", "\"a\"b\"", &"k".repeat(256)] {
        kept.local(keyed(key, ALICE)).await.is_problem(400);
    }
    let twice = with(keyed("a", ALICE), "idempotency-key", "a");
    kept.local(twice).await.is_problem(400);
    assert_eq!(kept.world.records().await, 0);
}
