//! `GET /v1/revocations`.

use super::*;

/// Pages from new to old, up to the last one.
async fn pages(kept: &Kept, query: &str) -> Vec<Vec<TrailEntry>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = kept
            .local(get(&format!("/v1/revocations?{query}{cursor}")))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        pages.push(serde_json::from_value(answer.json["orders"].clone()).unwrap());
        let Some(next) = answer.json["next"].as_str() else {
            return pages;
        };
        cursor = format!("&cursor={next}");
    }
}

fn subjects(pages: &[Vec<TrailEntry>]) -> Vec<&str> {
    let orders = pages.iter().flatten();
    orders
        .map(|order| order.target.subject.as_deref().unwrap())
        .collect()
}

#[tokio::test]
async fn pages_have_each_order_once_from_new_to_old() {
    let kept = Kept::new().await;
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    for name in names {
        kept.order(&json!({ "target": { "subject": name } })).await;
    }
    let newest = ["g", "f", "e", "d", "c", "b", "a"];
    for limit in [1, 3, 7, 500] {
        let pages = pages(&kept, &format!("limit={limit}")).await;
        assert_eq!(subjects(&pages), newest, "{limit}");
        assert!(pages.iter().all(|page| page.len() <= limit));
    }
    // What is ordered between two pages is on neither.
    let first = kept.local(get("/v1/revocations?limit=2")).await;
    kept.order(&json!({ "target": { "subject": "h" } })).await;
    let next = first.json["next"].as_str().unwrap();
    let second = kept
        .local(get(&format!("/v1/revocations?limit=2&cursor={next}")))
        .await;
    assert_eq!(second.json["orders"][0]["target"]["subject"], "e");
}

#[tokio::test]
async fn default_limit_is_50() {
    let kept = Kept::new().await;
    let orders: Vec<_> = (0..60)
        .map(|number| json!({ "target": { "subject": format!("s{number}") } }))
        .collect();
    let bulk = json!({ "orders": orders }).to_string();
    kept.local(post("/v1/revocations:bulk", &bulk)).await;
    let pages = pages(&kept, "").await;
    assert_eq!((pages[0].len(), pages[1].len()), (50, 10));
}

#[tokio::test]
async fn page_finds_a_subject_and_an_actor() {
    let kept = Kept::new().await;
    for (role, subject) in [
        ("operator", "alice"),
        ("security", "alice"),
        ("operator", "bob"),
    ] {
        let order = json!({ "target": { "subject": subject } }).to_string();
        let request = by(role, post("/v1/revocations", &order));
        kept.send(Access::operators(operators()), request).await;
    }
    let count = async |query: &str| pages(&kept, query).await.concat().len();
    assert_eq!(count("subject=alice").await, 2);
    assert_eq!(count("subject=alice&actor=operator-1").await, 1);
    assert_eq!(count("actor=operator-1").await, 2);
    assert_eq!(count("subject=carol").await, 0);
    assert_eq!(count("subject=Alice").await, 0);
}

#[tokio::test]
async fn page_looks_at_a_bounded_number_of_orders() {
    let kept = Kept::new().await;
    let order = |subject: &str| json!({ "target": { "subject": subject } });
    kept.order(&order("alice")).await;
    let many = json!({ "orders": vec![order("bob"); 1000] }).to_string();
    for _ in 0..3 {
        kept.local(post("/v1/revocations:bulk", &many)).await;
    }
    let before = kept.journal.reads.load(SeqCst);
    let first = kept.local(get("/v1/revocations?subject=alice")).await;
    assert_eq!(kept.journal.reads.load(SeqCst) - before, 20);
    assert_eq!(first.json["orders"], json!([]));
    let pages = pages(&kept, "subject=alice").await;
    assert_eq!((pages.len(), subjects(&pages)), (2, vec!["alice"]));
}

#[tokio::test]
async fn wrong_parameter_is_400() {
    let kept = Kept::new().await;
    for query in ["limit=0", "limit=501", "cursor=x", "page=2", "subject="] {
        kept.local(get(&format!("/v1/revocations?{query}")))
            .await
            .is_problem(400);
    }
    let put = Request::put("/v1/revocations").header(HOST, NAME);
    let answer = kept.local(put.body(Full::default()).unwrap()).await;
    answer.is_problem(405);
    assert_eq!(answer.headers["allow"], "GET, POST");
}
