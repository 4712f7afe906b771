//! Tokens that are exchanged.

use super::*;

#[tokio::test]
async fn one_of_two_rotations_at_once_succeeds() {
    let store = Store::new().await;
    for round in 0..50 {
        let refresh_token = store.issue(&round.to_string()).await.remove(1).token;
        let attempts = (0..4).map(|_| store.tokens.rotate(&refresh_token, both()));
        let rotations = join_all(attempts).await;
        let won = rotations
            .iter()
            .filter(|rotation| matches!(rotation, Ok(Rotation::Issued(_))));
        assert_eq!(won.count(), 1);
        let reused = rotations
            .iter()
            .filter(|rotation| matches!(rotation, Ok(Rotation::Reused(_))));
        assert_eq!(reused.count(), 3);
    }
}

#[tokio::test]
async fn rotated_token_is_still_known_as_rotated() {
    let store = Store::new().await;
    let refresh_token = store.issue("g1").await.remove(1).token;
    let next = successors(store.tokens.rotate(&refresh_token, both()).await.unwrap());
    assert!(
        store
            .tokens
            .introspect(&refresh_token)
            .await
            .unwrap()
            .unwrap()
            .rotated
    );
    assert!(
        !store
            .tokens
            .introspect(&next[1].token)
            .await
            .unwrap()
            .unwrap()
            .rotated
    );
}

#[tokio::test]
async fn access_token_cannot_be_rotated() {
    let store = Store::new().await;
    let access_token = store.issue("g1").await.remove(0).token;
    let rotation = store.tokens.rotate(&access_token, both()).await.unwrap();
    assert!(matches!(rotation, Rotation::Invalid));
}

#[tokio::test]
async fn token_that_was_revoked_alone_cannot_be_rotated() {
    let store = Store::new().await;
    let refresh_token = store.issue("g1").await.remove(1).token;
    let selector = store
        .tokens
        .introspect(&refresh_token)
        .await
        .unwrap()
        .unwrap()
        .token;
    store.log.append(forever(selector.unwrap())).await.unwrap();
    let rotation = store.tokens.rotate(&refresh_token, both()).await.unwrap();
    assert!(matches!(rotation, Rotation::Invalid));
}

#[tokio::test]
async fn authorization_code_is_single_use_and_keeps_its_note() {
    let store = Store::new().await;
    let grant = Grant::new("g1", "s6BhdRkqt3").subject("alice");
    let order = vec![NewToken::authorization_code(HOUR).note("challenge")];
    let code = store
        .tokens
        .issue(grant.clone(), order)
        .await
        .unwrap()
        .unwrap()
        .remove(0)
        .token;

    let known = store.tokens.look_up(&code).await.unwrap().unwrap();
    assert_eq!(
        (known.usage, known.note.as_str()),
        (TokenUse::AuthorizationCode, "challenge")
    );
    assert_eq!((known.grant, known.used), (grant.clone(), false));
    // Neither revocation nor introspection knows the code.
    assert!(store.tokens.introspect(&code).await.unwrap().is_none());

    assert_eq!(
        successors(store.tokens.rotate(&code, both()).await.unwrap()).len(),
        2
    );
    match store.tokens.rotate(&code, both()).await.unwrap() {
        Rotation::Reused(reused) => assert_eq!(reused, grant),
        other => panic!("{other:?}"),
    }
}
