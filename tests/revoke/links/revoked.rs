//! What falls with a refresh token.

use std::sync::atomic::AtomicBool;

use tower_revocation::revoke::{AdminRequest, Administration, Cascade, Target};

use super::*;

/// Both tokens of two logins of one user at one client.
async fn two_logins(world: &World) -> [[String; 2]; 2] {
    [world.login().await, world.login().await]
}

/// As Cognito: the grant is in each token.
async fn with_grants() -> World {
    let logins = AtomicUsize::new(0);
    World::new()
        .await
        .minting(move |token| token.grant(format!("g{}", logins.fetch_add(1, Ordering::SeqCst))))
}

#[tokio::test]
async fn grant_of_the_access_token_falls() {
    let world = with_grants().await;
    let [[access, refresh], [other, _]] = two_logins(&world).await;
    assert_eq!(
        world.revoke("test-client", &refresh).await,
        Outcome::Revoked
    );
    assert!(!world.is_live(&access).await && world.is_live(&other).await);
    // That of the grant, and that of the refresh token.
    assert_eq!(world.records().await, 2);
}

#[tokio::test]
async fn session_of_the_access_token_falls() {
    let logins = AtomicUsize::new(0);
    let world = World::new()
        .await
        .minting(move |token| token.session(format!("s{}", logins.fetch_add(1, Ordering::SeqCst))));
    let [[access, refresh], [other, _]] = two_logins(&world).await;
    assert_eq!(
        world.revoke("test-client", &refresh).await,
        Outcome::Revoked
    );
    assert!(!world.is_live(&access).await && world.is_live(&other).await);
    assert_eq!(world.records().await, 2);
}

/// As Okta, and as Auth0 with the RFC 9068 profile.
#[tokio::test]
async fn access_tokens_with_an_identifier_fall_one_by_one() {
    let world = World::new().await;
    let [[first, refresh], [other, _]] = two_logins(&world).await;
    let [second, rotated] = world.refresh(&refresh).await.tokens();
    let [third, last] = world.refresh(&rotated).await.tokens();
    assert_eq!(world.revoke("test-client", &last).await, Outcome::Revoked);
    for access in [first, second, third] {
        assert!(!world.is_live(&access).await);
    }
    assert!(world.is_live(&other).await);
    // Nothing that the user gets later falls.
    let [later, _] = world.login().await;
    assert!(world.is_live(&later).await);
}

#[tokio::test]
async fn rotated_refresh_token_revokes_the_same() {
    let world = World::new().await;
    let [first, refresh] = world.login().await;
    let [second, rotated] = world.refresh(&refresh).await.tokens();
    assert_eq!(
        world.revoke("test-client", &refresh).await,
        Outcome::Revoked
    );
    assert!(!world.is_live(&first).await && !world.is_live(&second).await);
    assert_eq!(
        world.refresh(&rotated).await.error(),
        (400, "invalid_grant".into())
    );
}

#[tokio::test]
async fn access_token_for_another_api_falls_with_its_refresh_token() {
    let world = World::new().await;
    let [first, refresh] = world.login().await;
    let other_api = world.issuer.clone().audience("https://other.test");
    let elsewhere = other_api.token().sign();
    let access = elsewhere.clone();
    let server = served(move |_, _| json_response(&json!({ "access_token": access })));
    let body = format!("grant_type=refresh_token&refresh_token={refresh}");
    assert_eq!(world.ask(server, &body).await.status, StatusCode::OK);
    // The other API follows the same log.
    let accepts = other_api.tokens().tenant("https://issuer.test");
    let known = accepts.oneshot(Secret::new(&*elsewhere)).await.unwrap();
    let known = known.into_token().unwrap();
    assert!(world.index.is_live(&known, NumericDate::now()));
    assert_eq!(
        world.revoke("test-client", &refresh).await,
        Outcome::Revoked
    );
    assert!(!world.index.is_live(&known, NumericDate::now()));
    assert!(!world.is_live(&first).await);
}

/// As Auth0 with its default profile.
#[tokio::test]
async fn access_tokens_without_a_name_fall_with_their_holder() {
    let subject = Arc::new(AtomicBool::new(false));
    let is_bob = subject.clone();
    let world = World::new().await.minting(move |token| {
        let is_bob = is_bob.load(Ordering::SeqCst);
        token
            .without("jti")
            .subject(if is_bob { "bob" } else { "alice" })
    });
    let [[access, refresh], [other, _]] = two_logins(&world).await;
    subject.store(true, Ordering::SeqCst);
    let [of_bob, _] = world.login().await;
    assert_eq!(
        world.revoke("test-client", &refresh).await,
        Outcome::Revoked
    );
    assert!(!world.is_live(&access).await && !world.is_live(&other).await);
    assert!(world.is_live(&of_bob).await);
}

#[tokio::test]
async fn token_of_another_client_does_not_fall() {
    let world = World::new().await;
    let [access, refresh] = world.login().await;
    assert_eq!(world.revoke("c2", &refresh).await, Outcome::IssuedToAnother);
    assert!(world.is_live(&access).await);
    assert_eq!(world.records().await, 0);
}

#[tokio::test]
async fn refresh_token_that_no_link_knows_is_unsupported() {
    let world = World::new().await;
    let [access, refresh] = world.login().await;
    let unknown = ["refresh-7", "refresh-0 ", "Refresh-0", "opaque"];
    for token in unknown {
        assert_eq!(
            world.revoke("test-client", token).await,
            Outcome::Unsupported,
            "{token}"
        );
    }
    assert!(world.is_live(&access).await);
    assert_eq!(world.records().await, 0);
    assert_eq!(
        world.revoke("test-client", &refresh).await,
        Outcome::Revoked
    );
}

#[tokio::test]
async fn access_tokens_are_revoked_as_without_links() {
    let world = World::new().await;
    let [access, refresh] = world.login().await;
    assert_eq!(world.revoke("test-client", &access).await, Outcome::Revoked);
    assert!(!world.is_live(&access).await);
    let [next, _] = world.refresh(&refresh).await.tokens();
    assert!(world.is_live(&next).await);
}

#[tokio::test]
async fn cascade_can_be_the_token_alone() {
    let world = World::new().await;
    let [access, refresh] = world.login().await;
    let record = world.record().refresh_token_cascade(Cascade::Token);
    let request = RevocationRequest::new("test-client", Secret::new(&*refresh));
    assert_eq!(record.oneshot(request).await.unwrap(), Outcome::Revoked);
    assert!(world.is_live(&access).await);
    assert_eq!(
        world.refresh(&refresh).await.error(),
        (400, "invalid_grant".into())
    );
}

#[tokio::test]
async fn quota_and_retries_count_what_is_new() {
    let world = World::new().await;
    let [_, refresh] = world.login().await;
    let record = world.record().quota(3);
    let revoke = async |token: &str| {
        let request = RevocationRequest::new("test-client", Secret::new(token));
        record.clone().oneshot(request).await
    };
    // The family, the refresh token and the access token.
    assert_eq!(revoke(&refresh).await.unwrap(), Outcome::Revoked);
    assert_eq!(world.records().await, 3);
    assert_eq!(revoke(&refresh).await.unwrap(), Outcome::Revoked);
    let [access, other] = world.login().await;
    assert!(revoke(&other).await.is_err());
    assert!(world.is_live(&access).await);
}

#[tokio::test]
async fn order_about_a_subject_also_ends_refresh_tokens() {
    let world = World::new().await;
    let [access, refresh] = world.login().await;
    let alice = AdminRequest::new(Target::Subject("test-subject".into()));
    let alice = alice.within("https://issuer.test");
    Administration::new(world.log.clone())
        .oneshot(alice)
        .await
        .unwrap();
    assert!(!world.is_live(&access).await);
    assert_eq!(
        world.refresh(&refresh).await.error(),
        (400, "invalid_grant".into())
    );
}

/// A refresh is on its way while its refresh token is revoked.
#[tokio::test]
async fn token_that_is_issued_during_the_revocation_falls_too() {
    let world = World::new().await;
    let [first, refresh] = world.login().await;
    let second = world.issuer.token().sign();
    // The introspection before the record does not know the second token yet.
    let (links, learnt) = (world.links.clone(), AtomicBool::new(false));
    let known = world.introspect(&second).await;
    let linked = LinkedTokens::new(world.links.clone(), world.tokens());
    let learnt = Arc::new(learnt);
    let racing = service_fn(move |token: Secret| {
        let (links, linked) = (links.clone(), linked.clone());
        let (known, learnt) = (known.clone(), learnt.clone());
        Box::pin(async move {
            let before = linked.oneshot(token.clone()).await;
            if !learnt.swap(true, Ordering::SeqCst) {
                links.learn(&known, None, Some(&token)).await?;
            }
            before
        }) as BoxFuture<'static, Result<Introspected, BoxError>>
    });
    let record = RecordRevocation::new(racing, world.log.clone());
    let request = RevocationRequest::new("test-client", Secret::new(&*refresh));
    assert_eq!(record.oneshot(request).await.unwrap(), Outcome::Revoked);
    assert!(!world.is_live(&first).await && !world.is_live(&second).await);
}

/// The links learn these access tokens of the presented refresh token after the first look.
fn learning_meanwhile(
    world: &World,
    later: Vec<Introspection>,
) -> BoxCloneSyncService<Secret, Introspected, BoxError> {
    let linked = LinkedTokens::new(world.links.clone(), world.tokens());
    let (links, learnt) = (world.links.clone(), Arc::new(AtomicBool::new(false)));
    BoxCloneSyncService::new(service_fn(move |token: Secret| {
        let (links, linked) = (links.clone(), linked.clone());
        let (later, learnt) = (later.clone(), learnt.clone());
        Box::pin(async move {
            let before = linked.oneshot(token.clone()).await;
            if !learnt.swap(true, Ordering::SeqCst) {
                for access in &later {
                    links.learn(access, None, Some(&token)).await?;
                }
            }
            before
        }) as BoxFuture<'static, Result<Introspected, BoxError>>
    }))
}

#[tokio::test]
async fn grant_that_changes_during_the_revocation_does_not_revive_the_refresh_token() {
    let world = with_grants().await;
    let [[first, refresh], [other, _]] = two_logins(&world).await;
    // It has another grant than the first.
    let later = world.introspect(&other).await;
    let introspect = learning_meanwhile(&world, vec![later]);
    let record = RecordRevocation::new(introspect, world.log.clone());
    let request = RevocationRequest::new("test-client", Secret::new(&*refresh));
    assert_eq!(record.oneshot(request).await.unwrap(), Outcome::Revoked);
    for access in [first, other] {
        assert!(!world.is_live(&access).await);
    }
    let refused = world.refresh(&refresh).await;
    assert_eq!(refused.error(), (400, "invalid_grant".into()));
}

/// As a server that gives the same refresh token to the next login.
#[tokio::test]
async fn refresh_token_stays_revoked_if_a_later_login_changes_its_grant() {
    let world = with_grants().await;
    let [_, refresh] = world.login().await;
    world.revoke("test-client", &refresh).await;
    let again = json!({
        "access_token": world.issuer.token().grant("another").sign(),
        "refresh_token": refresh,
    });
    let server = served(move |_, _| json_response(&again));
    world
        .ask(server, "grant_type=authorization_code&code=y")
        .await
        .tokens();
    let refused = world.refresh(&refresh).await;
    assert_eq!(refused.error(), (400, "invalid_grant".into()));
}

#[tokio::test]
async fn token_that_no_record_can_name_and_is_issued_during_the_revocation_is_no_success() {
    let world = World::new().await;
    let [first, refresh] = world.login().await;
    let mut nameless = world.introspect(&first).await;
    nameless.client_id = "another-client".into();
    nameless.token = None;
    let introspect = learning_meanwhile(&world, vec![nameless]);
    let record = RecordRevocation::new(introspect, world.log.clone());
    let request = RevocationRequest::new("test-client", Secret::new(&*refresh));
    assert_eq!(record.oneshot(request).await.unwrap(), Outcome::Unsupported);
    assert!(!world.is_live(&first).await);
}
