//! A refresh token stays with the client that it was first issued to.

use super::*;

/// A gateway of another issuer with the same links, whose server names this refresh token.
async fn other_issuer_names(world: &World, refresh_token: &str, body: &str) -> String {
    let other = TestIssuer::new("https://other.test");
    let access = other.token().sign();
    let json = json!({ "access_token": access, "refresh_token": refresh_token });
    let server = served(move |_, _| json_response(&json));
    let layer = world.layer_with(other.tokens().tenant("https://other.test"));
    let answered = layer.layer(server).oneshot(form(body)).await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK);
    access
}

#[tokio::test]
async fn other_issuer_cannot_take_a_refresh_token_over() {
    for body in [
        "grant_type=password",
        "grant_type=refresh_token&refresh_token=refresh-0",
    ] {
        let world = World::new().await;
        let [access, refresh] = world.login().await;
        other_issuer_names(&world, &refresh, body).await;
        assert_eq!(
            world.revoke("test-client", &refresh).await,
            Outcome::Revoked
        );
        assert!(!world.is_live(&access).await, "{body}");
    }
}

/// Nothing names the access token of another subject.
#[tokio::test]
async fn token_whose_access_tokens_cannot_fall_is_unsupported() {
    let mut world = World::new().await;
    let [_, refresh] = world.login().await;
    world.mint = Arc::new(|token| token.subject("bob").without("jti"));
    let [of_bob, rotated] = world.refresh(&refresh).await.tokens();
    for token in [refresh, rotated] {
        let record = world.record().responsible_for_all_tokens(true);
        let request = RevocationRequest::new("test-client", Secret::new(&*token));
        let outcome = record.oneshot(request).await.unwrap();
        assert_eq!(outcome, Outcome::Unsupported);
    }
    assert!(world.is_live(&of_bob).await);
}

#[tokio::test]
async fn other_client_cannot_take_a_refresh_token_over() {
    let mut world = World::new().await;
    let [access, refresh] = world.login().await;
    world.mint = Arc::new(|token| token.client("c2"));
    let (issuer, mint) = (world.issuer.clone(), world.mint.clone());
    let same = refresh.clone();
    let server = served(move |_, _| {
        let access = mint(issuer.token()).sign();
        json_response(&json!({ "access_token": access, "refresh_token": same }))
    });
    let [of_c2, _] = world.ask(server, "grant_type=password").await.tokens();
    assert_eq!(world.revoke("c2", &refresh).await, Outcome::IssuedToAnother);
    assert_eq!(
        world.revoke("test-client", &refresh).await,
        Outcome::Revoked
    );
    // Both were issued with it.
    assert!(!world.is_live(&access).await && !world.is_live(&of_c2).await);
}
