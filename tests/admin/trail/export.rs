//! `GET /v1/revocations:export`.

use hyper::body::Body as _;

use super::*;

async fn many(kept: &Kept) {
    let order = |number| json!({ "target": { "subject": format!("s{number}") } });
    let orders: Vec<_> = (0..450).map(order).collect();
    let bulk = json!({ "orders": orders }).to_string();
    let answer = kept.local(post("/v1/revocations:bulk", &bulk)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn export_has_each_order_on_a_line_of_its_own() {
    let kept = Kept::new().await;
    many(&kept).await;
    let service = kept
        .world
        .keeping(&kept.journal, &kept.log, Access::owner("root"));
    let response = service
        .oneshot(get("/v1/revocations:export"))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/x-ndjson");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let lines = std::str::from_utf8(&body).unwrap().lines();
    let exported: Vec<TrailEntry> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(exported.len(), 450);
    assert_eq!(exported, kept.orders().await);
}

#[tokio::test]
async fn export_reads_what_its_peer_takes() {
    let kept = Kept::new().await;
    many(&kept).await;
    let service = kept
        .world
        .keeping(&kept.journal, &kept.log, Access::owner("root"));
    let response = service
        .oneshot(get("/v1/revocations:export"))
        .await
        .unwrap();
    let mut body = response.into_body();
    assert!(!body.is_end_stream());
    for pieces in 1..=5 {
        // The first piece was read before the response, and each other one when it is asked for.
        assert_eq!(kept.journal.reads.load(SeqCst), usize::max(pieces - 1, 1));
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(kept.journal.reads.load(SeqCst), pieces);
        let piece = frame.into_data().unwrap();
        let lines = std::str::from_utf8(&piece).unwrap().lines();
        assert_eq!(lines.count(), if pieces < 5 { 100 } else { 50 });
    }
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn export_that_cannot_be_read_to_the_end_is_cut() {
    let kept = Kept::new().await;
    many(&kept).await;
    let service = kept
        .world
        .keeping(&kept.journal, &kept.log, Access::owner("root"));
    let response = service
        .oneshot(get("/v1/revocations:export"))
        .await
        .unwrap();
    kept.journal.fails_to_read.store(true, SeqCst);
    let error = response.into_body().collect().await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Storage);
}
