//! Tokens that are issued after a revocation.

use super::*;

#[tokio::test]
async fn nothing_is_issued_in_a_revoked_grant() {
    let store = Store::new().await;
    let refresh_token = store.issue("g1").await.remove(1).token;
    store
        .log
        .append(forever(Selector::grant("g1")))
        .await
        .unwrap();

    let rotation = store.tokens.rotate(&refresh_token, both()).await.unwrap();
    assert!(matches!(rotation, Rotation::Invalid));
    let grant = Grant::new("g1", "s6BhdRkqt3");
    assert!(store.tokens.issue(grant, both()).await.unwrap().is_none());
}

#[tokio::test]
async fn nothing_is_issued_into_a_covered_second() {
    let store = Store::new().await;
    let now = NumericDate::now() + Duration::from_secs(5);
    let selectors = [
        Selector::subject("alice"),
        Selector::client("s6BhdRkqt3"),
        Selector::subject_and_client("alice", "s6BhdRkqt3"),
    ];
    for (later, selector) in (0..).zip(selectors) {
        let not_before = now + Duration::from_secs(later);
        let record = Revocation::watermark(selector, not_before, NumericDate::FOREVER);
        store.log.append(vec![record]).await.unwrap();
        for issued in store.issue(&later.to_string()).await {
            assert!(
                !record.covers(issued.iat),
                "{issued:?} falls into {record:?}"
            );
        }
    }
}

#[tokio::test]
async fn watermark_between_two_issues_separates_them() {
    let store = Store::new().await;
    let old = store.issue("g1").await.remove(1);
    let record = Revocation::watermark(Selector::subject("alice"), old.iat, NumericDate::FOREVER);
    store.log.append(vec![record]).await.unwrap();
    assert!(matches!(
        store.tokens.rotate(&old.token, both()).await.unwrap(),
        Rotation::Invalid
    ));
    let new = store.issue("g2").await.remove(1);
    successors(store.tokens.rotate(&new.token, both()).await.unwrap());
}

#[tokio::test]
async fn self_contained_token_is_not_signed_in_a_revoked_grant() {
    let store = Store::new().await;
    let grant = Grant::new("g1", "s6BhdRkqt3").subject("alice");
    let before = NumericDate::now();
    let iat = store.tokens.earliest_iat(&grant).await.unwrap().unwrap();
    assert!(before <= iat && iat <= NumericDate::now());

    // The revocation is only queued. Its future is dropped.
    drop(store.log.append(forever(Selector::grant("g1"))));
    assert_eq!(store.tokens.earliest_iat(&grant).await.unwrap(), None);
    let other = Grant::new("g2", "s6BhdRkqt3").subject("alice");
    assert!(store.tokens.earliest_iat(&other).await.unwrap().is_some());
}

#[tokio::test]
async fn earliest_iat_is_never_a_covered_second() {
    let store = Store::new().await;
    let index = Index::follow(&store.log).await.unwrap();
    let tokens = store.open(IssuedTokens::builder().issuer(ISSUER)).await;
    let grant = Grant::new("g1", "s6BhdRkqt3").subject("alice");
    let jwt = |iat| {
        let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
        token.iss = Some(ISSUER.into());
        token.sub = Some("alice".into());
        token.grant = Some("g1".into());
        token.iat = Some(iat);
        token
    };
    let selectors = [
        Selector::subject("alice"),
        Selector::client("s6BhdRkqt3"),
        Selector::subject_and_client("alice", "s6BhdRkqt3"),
        Selector::issuer(ISSUER),
    ];
    let later = NumericDate::now() + Duration::from_secs(5);
    for (seconds, selector) in (0..).zip(selectors) {
        let old = jwt(tokens.earliest_iat(&grant).await.unwrap().unwrap());
        assert!(!index.covers(&old));
        let not_before = later + Duration::from_secs(seconds);
        let record = Revocation::watermark(selector, not_before, NumericDate::FOREVER);
        store.log.append(vec![record]).await.unwrap();
        assert!(index.covers(&old), "{selector:?}");
        let new = tokens.earliest_iat(&grant).await.unwrap().unwrap();
        assert_eq!(new, not_before + Duration::from_secs(1), "{selector:?}");
        assert!(!index.covers(&jwt(new)), "{selector:?}");
    }
}

#[tokio::test]
async fn record_about_the_issuer_revokes_old_tokens_and_not_new_ones() {
    let store = Store::new().await;
    let tokens = store.open(IssuedTokens::builder().issuer(ISSUER)).await;
    let index = Index::follow(&store.log).await.unwrap();
    let grant = || Grant::new("g1", "s6BhdRkqt3").subject("alice");
    let old = tokens.issue(grant(), both()).await.unwrap().unwrap();
    let known = |issued: &IssuedToken| block_on(tokens.introspect(&issued.token)).unwrap().unwrap();
    assert_eq!(known(&old[0]).iss.as_deref(), Some(ISSUER));

    let order = AdminRequest::new(Target::Issuer(ISSUER.into()));
    let administration = Administration::new(store.log.clone());
    let receipt = administration.oneshot(order).await.unwrap();
    assert!(old.iter().all(|issued| index.covers(&known(issued))));
    let rotation = tokens.rotate(&old[1].token, both()).await.unwrap();
    assert!(matches!(rotation, Rotation::Invalid));

    let new = tokens.issue(grant(), both()).await.unwrap().unwrap();
    for issued in &new {
        assert!(issued.iat > receipt.not_before);
        assert!(!index.covers(&known(issued)));
    }

    // An issuer that is revoked forever issues no more tokens.
    store
        .log
        .append(forever(Selector::issuer(ISSUER)))
        .await
        .unwrap();
    assert!(tokens.issue(grant(), both()).await.unwrap().is_none());
    assert_eq!(tokens.earliest_iat(&grant()).await.unwrap(), None);
    // Tokens without an issuer are not affected.
    assert!(store.tokens.issue(grant(), both()).await.unwrap().is_some());
}

#[tokio::test]
async fn records_about_a_tenant_revoke_only_its_tokens() {
    let store = Store::new().await;
    let tokens = store.open(IssuedTokens::builder().tenant("one")).await;
    let index = Index::follow(&store.log).await.unwrap();
    let grant = || Grant::new("g1", "s6BhdRkqt3").subject("alice");
    let issued = tokens.issue(grant(), both()).await.unwrap().unwrap();
    let known = |issued: &IssuedToken| block_on(tokens.introspect(&issued.token)).unwrap().unwrap();
    assert_eq!(known(&issued[0]).tenant.as_deref(), Some("one"));

    for theirs in [Selector::grant("g1"), Selector::grant("g1").within("other")] {
        store.log.append(forever(theirs)).await.unwrap();
    }
    assert!(!index.covers(&known(&issued[0])));
    let rotation = tokens.rotate(&issued[1].token, both()).await.unwrap();
    let issued = successors(rotation);

    let ours = Selector::grant("g1").within("one");
    store.log.append(forever(ours)).await.unwrap();
    assert!(issued.iter().all(|issued| index.covers(&known(issued))));
    let rotation = tokens.rotate(&issued[1].token, both()).await.unwrap();
    assert!(matches!(rotation, Rotation::Invalid));
    assert!(tokens.issue(grant(), both()).await.unwrap().is_none());
    assert_eq!(tokens.earliest_iat(&grant()).await.unwrap(), None);
}
