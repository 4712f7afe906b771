//! `POST /v1/revocations:bulk`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use tower::service_fn;
use tower_revocation::introspect::{Introspected, Reason};

use super::{trail::Kept, *};

fn bulk(orders: &[Value]) -> Request<Full<Bytes>> {
    let body = json!({ "orders": orders }).to_string();
    post("/v1/revocations:bulk", &body)
}

fn subject(name: impl std::fmt::Display) -> Value {
    json!({ "target": { "subject": name.to_string() }, "reason": "left" })
}

#[tokio::test]
async fn each_order_has_a_result_of_its_own() {
    let kept = Kept::new().await;
    let token = kept.world.issuer.token().subject("carol").sign();
    let other = kept.world.issuer.token().subject("carol").sign();
    let orders = [
        subject("alice"),
        json!({ "target": { "token": "opaque" } }),
        json!({ "target": { "subject": "a" }, "issuer": "https://other.test" }),
        json!({ "target": { "session": "s1" }, "before": 1 }),
        json!({ "target": { "token": token } }),
        json!({ "target": { "client": "web" } }),
    ];
    let request = by("operator", bulk(&orders));
    let answer = kept.send(Access::operators(operators()), request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    let results = answer.json["results"].as_array().unwrap();
    let statuses: Vec<_> = results.iter().map(|it| it["status"].clone()).collect();
    assert_eq!(statuses, [201, 422, 422, 400, 201, 403]);
    for result in results {
        let is_done = result["status"] == 201;
        assert_eq!(result.get("receipt").is_some(), is_done);
        assert_eq!(result.get("problem").is_some(), !is_done);
        if !is_done {
            assert_eq!(result["problem"]["status"], result["status"]);
        }
    }
    assert!(!answer.json.to_string().contains("opaque"));
    assert!(!kept.world.is_live(&token).await && kept.world.is_live(&other).await);
    let kept_orders = kept.orders().await;
    let ids: Vec<_> = kept_orders.iter().map(|it| &*it.id).collect();
    let of = |at: usize| results[at]["receipt"]["id"].as_str().unwrap();
    assert_eq!(ids, [of(4), of(0)]);
    assert_eq!(kept_orders[1].reason.as_deref(), Some("left"));
}

#[tokio::test]
async fn order_that_is_too_long_to_be_kept_does_not_stop_the_others() {
    let kept = Kept::new().await;
    // Each character takes six bytes of the entry.
    let long = json!({ "target": { "subject": "\u{1}".repeat(4096) } });
    let answer = kept.local(bulk(&[subject("a"), long, subject("b")])).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    let results = answer.json["results"].as_array().unwrap();
    let statuses: Vec<_> = results.iter().map(|it| it["status"].clone()).collect();
    assert_eq!(statuses, [201, 400, 201]);
    assert_eq!(kept.world.records().await, 2);
    assert_eq!(kept.orders().await.len(), 2);
}

#[tokio::test]
async fn thousand_orders_are_three_durable_writes() {
    let kept = Kept::new().await;
    let orders: Vec<_> = (0..1000).map(subject).collect();
    let answer = kept.local(bulk(&orders)).await;
    assert_eq!(answer.status, StatusCode::OK);
    let results = answer.json["results"].as_array().unwrap();
    assert!(results.len() == 1000 && results.iter().all(|it| it["status"] == 201));
    assert_eq!(kept.log.appends.load(SeqCst), 1);
    assert_eq!(kept.journal.writes.load(SeqCst), 1);
    assert_eq!(kept.journal.replaces.load(SeqCst), 1);
    assert_eq!(kept.world.records().await, 1000);
    // Readers that have reached the position of any of them refuse the tokens of all.
    assert!(results.iter().all(|it| it["receipt"]["sequence"] == 1000));
}

#[tokio::test]
async fn bulk_without_a_trail_is_one_append() {
    let world = World::new().await;
    let answer = send(world.local(), bulk(&[subject("a"), subject("b")])).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json["results"][1]["receipt"]["sequence"], 2);
    assert_eq!(world.records().await, 2);
}

#[tokio::test]
async fn bulk_that_fails_is_503_as_a_whole() {
    let kept = Kept::new().await;
    kept.log.fails.store(true, SeqCst);
    let answer = kept.local(bulk(&[subject("a"), subject("b")])).await;
    answer.is_problem(503);
    assert!(answer.headers.contains_key("retry-after"));
    let orders = kept.orders().await;
    assert!(orders.len() == 2 && orders.iter().all(|it| it.outcome == "failed"));

    kept.log.fails.store(false, SeqCst);
    kept.journal.fails_to_write.store(true, SeqCst);
    kept.local(bulk(&[subject("a")])).await.is_problem(503);
    assert_eq!(kept.world.records().await, 0);
}

#[tokio::test]
async fn bulk_is_bounded() {
    let kept = Kept::new().await;
    let many: Vec<_> = (0..1001).map(subject).collect();
    kept.local(bulk(&many)).await.is_problem(400);
    let long = json!({ "orders": [], "x": "y".repeat(1024 * 1024) }).to_string();
    kept.local(post("/v1/revocations:bulk", &long))
        .await
        .is_problem(413);
    for body in [
        "{}",
        "[]",
        r#"{"orders":{}}"#,
        r#"{"orders":[null]}"#,
        r#"{"orders":[["a"]]}"#,
        r#"{"orders":[],"more":1}"#,
        r#"{"orders":[{"target":{"subject":"a","subject":"b"}}]}"#,
    ] {
        kept.local(post("/v1/revocations:bulk", body))
            .await
            .is_problem(400);
    }
    let query = post("/v1/revocations:bulk?x=1", r#"{"orders":[]}"#);
    kept.local(query).await.is_problem(400);
    let answer = kept.local(bulk(&[])).await;
    assert_eq!(answer.json, json!({ "results": [] }));
    assert_eq!(kept.log.appends.load(SeqCst), 0);
    assert_eq!(kept.journal.writes.load(SeqCst), 0);
    kept.local(get("/v1/revocations:bulk"))
        .await
        .is_problem(405);
}

#[tokio::test]
async fn dry_run_of_many_revokes_and_keeps_nothing() {
    let kept = Kept::new().await;
    let token = kept.world.issuer.token().sign();
    let body = json!({ "orders": [
        subject("alice"),
        { "target": { "token": token } },
        { "target": { "token": "opaque" } },
    ] });
    let request = post("/v1/revocations:bulk?dry_run=true", &body.to_string());
    let answer = kept.local(request).await;
    let results = &answer.json["results"];
    assert_eq!(
        (answer.status, &results[0]["status"]),
        (StatusCode::OK, &json!(200))
    );
    assert_eq!(results[0]["dry_run"]["class"], "subject");
    assert_eq!(results[1]["dry_run"]["class"], "token");
    assert_eq!(results[2]["status"], 422);
    let request = post("/v1/revocations:bulk?dry_run=true", &body.to_string());
    let viewer = kept.send(Access::operators(operators()), by("viewer", request));
    let statuses: Vec<_> = viewer.await.json["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["status"].clone())
        .collect();
    assert_eq!(statuses, [200, 403, 403]);
    assert_eq!(kept.world.records().await, 0);
    assert!(kept.orders().await.is_empty());
}

#[tokio::test]
async fn tokens_are_introspected_a_few_at_once() {
    let world = World::new().await;
    let [running, most] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let (now, seen) = (running.clone(), most.clone());
    let slow = service_fn(move |_: Secret| {
        let (now, seen) = (now.clone(), seen.clone());
        async move {
            seen.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, SeqCst);
            Ok::<_, BoxError>(Introspected::Unrecognised(Reason::NotAToken))
        }
    });
    let tenants = Tenants::each_issuer([ISSUER]);
    let service = world.service_of(slow, tenants, Access::owner("root"));
    let orders: Vec<_> = (0..100)
        .map(|number| json!({ "target": { "token": format!("t{number}") } }))
        .collect();
    let answer = send(service, bulk(&orders)).await;
    assert_eq!(answer.json["results"].as_array().unwrap().len(), 100);
    assert_eq!((running.load(SeqCst), most.load(SeqCst)), (0, 16));
}

#[tokio::test]
async fn repetition_of_many_gets_the_stored_answers() {
    let kept = Kept::new().await;
    let orders = [
        subject("a"),
        json!({ "target": { "token": "opaque" } }),
        subject("b"),
    ];
    let keyed = |orders: &[Value]| with(bulk(orders), "idempotency-key", "k");
    let first = kept.local(keyed(&orders)).await;
    let again = kept.local(keyed(&orders)).await;
    assert_eq!((again.status, &again.json), (first.status, &first.json));
    assert_eq!(kept.log.appends.load(SeqCst), 1);
    assert_eq!(kept.orders().await.len(), 2);
    kept.local(keyed(&[subject("a"), subject("c"), subject("d")]))
        .await
        .is_problem(422);
    assert_eq!(kept.orders().await.len(), 2);
}

#[tokio::test]
async fn each_order_counts_as_a_request() {
    let world = World::new().await;
    let service = world.local().requests_per_minute(600);
    let orders: Vec<_> = (0..300).map(subject).collect();
    for status in [200, 200, 429] {
        let answer = send(service.clone(), bulk(&orders)).await;
        assert_eq!(answer.status, status, "{}", answer.json);
    }
    assert_eq!(world.records().await, 300);
}
