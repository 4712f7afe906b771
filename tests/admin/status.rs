//! `GET /v1/status`.

use tower_revocation::admin::Status;

use super::*;

#[tokio::test]
async fn status_of_log_and_index() {
    let world = World::new().await;
    world
        .order(&json!({ "target": { "subject": "alice" } }))
        .await;
    let service = world.local().details(|| {
        let mut details = serde_json::Map::new();
        details.insert("reload_error".to_owned(), json!("line 7"));
        details
    });
    let answer = send(service, get("/v1/status")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let status: Status = serde_json::from_value(answer.json).unwrap();
    assert!(status.log.writable && status.log.reason.is_none());
    assert_eq!(status.index.freshness, "fresh");
    assert_eq!((status.index.sequence, status.index.records), (1, 1));
    assert_eq!(status.details["reload_error"], "line 7");
}

#[tokio::test]
async fn index_that_has_no_log_is_unready() {
    let mut world = World::new().await;
    world.index = Index::new();
    let answer = send(world.local(), get("/v1/status")).await;
    assert_eq!(answer.json["index"]["freshness"], "unready");
    assert!(answer.json.get("details").is_none());
    send(world.local(), get("/v1/status?x=1"))
        .await
        .is_problem(400);
}
