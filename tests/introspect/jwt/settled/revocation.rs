//! What the owner of a token gets while its key is new.

use super::*;
use tower_revocation::log::Snapshot;

#[tokio::test]
async fn token_of_a_new_key_is_revoked_despite_forged_tokens() {
    let (server, tokens) = issuer().await;
    let log = MemoryLog::new();
    // Somebody forges two tokens with new keys: the cool-down has started.
    for kid in ["made-up-1", "made-up-2"] {
        let forged = signed(&Key::generate(), kid, &json!({}));
        assert_eq!(
            present(&tokens, &log, &forged).await.0.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
    }
    assert_eq!(server.fetches(), 2);
    server.serves(Some(KEY.jwks("new")));
    let token = signed(&KEY, "new", &json!({}));
    // The API waits for the cool-down. The owner of the token does not have to.
    let (response, verdict) = present(&tokens, &log, &token).await;
    assert_eq!(response.0, StatusCode::SERVICE_UNAVAILABLE);
    assert!((1..=60).contains(&response.1.unwrap()), "{response:?}");
    assert_eq!(verdict, Some(Verdict::Unknown));
    assert_eq!(
        revoke_with_retry(&tokens, &log, &token).await,
        (StatusCode::OK, None)
    );
    assert_eq!(server.fetches(), 3);
    assert_eq!(Snapshot::of(&log).await.unwrap().records.len(), 1);
    let (response, verdict) = present(&tokens, &log, &token).await;
    assert_eq!(response.0, StatusCode::UNAUTHORIZED);
    assert!(matches!(verdict, Some(Verdict::Revoked(_))));
}

#[tokio::test]
async fn revocation_is_503_and_never_200_while_the_keys_are_older_than_the_token() {
    let (server, tokens) = issuer().await;
    let tokens = tokens.remote_keys(server.remote_builder().fetches_per_client(0).build());
    let log = MemoryLog::new();
    assert!(
        introspect(&tokens, &signed(&KEY, "new", &json!({})))
            .await
            .is_err()
    );
    server.serves(Some(KEY.jwks("new")));
    for kid in ["new", "old"] {
        let token = signed(&KEY, kid, &json!({}));
        // The second fetch is due because of the first token.
        let first = revoke(&tokens, &log, &token).await;
        let again = signed(&Key::generate(), kid, &json!({}));
        let again = revoke(&tokens, &log, &again).await;
        assert_eq!(again.0, StatusCode::SERVICE_UNAVAILABLE);
        assert!(again.1.unwrap() >= 1);
        let is_known = kid == "new";
        assert_eq!(first.0 == StatusCode::OK, is_known, "{first:?}");
    }
    assert_eq!(Snapshot::of(&log).await.unwrap().records.len(), 1);
}

/// The `Secret` carries the client that asks.
#[tokio::test]
async fn wrapping_introspection_has_to_pass_on_the_same_secret() {
    let (server, tokens) = issuer().await;
    let log = MemoryLog::new();
    for kid in ["made-up-1", "made-up-2"] {
        let forged = signed(&Key::generate(), kid, &json!({}));
        present(&tokens, &log, &forged).await;
    }
    server.serves(Some(KEY.jwks("new")));
    let token = signed(&KEY, "new", &json!({}));

    let inner = tokens.clone();
    let rebuilt = service_fn(move |secret: Secret| {
        let secret = Secret::new(secret.expose());
        inner.clone().oneshot(secret)
    });
    let (status, seconds) = revoke_with_retry(&rebuilt, &log, &token).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(seconds.unwrap() > 1);
    assert_eq!(server.fetches(), 2);

    let same = service_fn(move |secret: Secret| tokens.clone().oneshot(secret.clone()));
    let response = revoke_with_retry(&same, &log, &token).await;
    assert_eq!(response, (StatusCode::OK, None));
    assert_eq!(server.fetches(), 3);
}

#[tokio::test]
async fn key_that_changed_under_the_same_kid_is_found() {
    let (server, tokens) = issuer().await;
    assert!(
        introspect(&tokens, &signed(&KEY, "old", &json!({})))
            .await
            .is_err()
    );
    server.serves(Some(KEY.jwks("old")));
    let known = introspect(&tokens, &signed(&KEY, "old", &json!({}))).await;
    assert!(known.unwrap().token().is_some());
    assert_eq!(server.fetches(), 2);
}
