//! Refresh tokens that come without a link: they are older than what is known of them.

use std::time::{Duration, SystemTime};

use tower_revocation::revoke::{AdminRequest, Administration, Target};

use super::*;

const INVALID_GRANT: (u16, &str) = (400, "invalid_grant");

impl World {
    /// An access token that did not pass the gateway.
    fn access_beside_the_gateway(&self) -> String {
        (self.mint)(self.issuer.token()).sign()
    }

    fn holding_one_family(mut self) -> Self {
        self.links = self.links.clone().per_client(1);
        self
    }

    fn knows(&self, token: &str) -> bool {
        let known = self.links.find(&Secret::new(token)).unwrap();
        known.is_some()
    }

    /// Ends what the user got until this many seconds ago.
    async fn order(&self, seconds: u64) {
        let date = SystemTime::now() - Duration::from_secs(seconds);
        let target = Target::Subject("test-subject".into());
        let request = AdminRequest::new(target).within("https://issuer.test");
        let administration = Administration::new(self.log.clone());
        administration.oneshot(request.before(date)).await.unwrap();
    }
}

#[tokio::test]
async fn revocation_ends_what_was_issued_before_the_first_link() {
    for presents_the_first in [true, false] {
        let world = World::new().await;
        let before = world.access_beside_the_gateway();
        let [after, rotated] = world.refresh("older").await.tokens();
        let token = if presents_the_first {
            "older"
        } else {
            &*rotated
        };
        assert_eq!(world.revoke("test-client", token).await, Outcome::Revoked);
        assert!(!world.is_live(&before).await && !world.is_live(&after).await);
    }
}

#[tokio::test]
async fn revocation_ends_what_was_issued_before_an_eviction() {
    let world = World::new().await.holding_one_family();
    let [before, refresh] = world.login().await;
    world.login().await;
    // Nothing says what belongs to it.
    assert_eq!(
        world.revoke("test-client", &refresh).await,
        Outcome::Unsupported
    );
    assert!(world.is_live(&before).await);
    let [after, _] = world.refresh(&refresh).await.tokens();
    assert_eq!(
        world.revoke("test-client", &refresh).await,
        Outcome::Revoked
    );
    assert!(!world.is_live(&before).await && !world.is_live(&after).await);
}

/// It is revoked, and then the link is forgotten.
#[tokio::test]
async fn whole_family_stays_revoked_after_an_eviction() {
    let world = World::new().await.holding_one_family();
    let [_, first] = world.login().await;
    let [_, second] = world.refresh(&first).await.tokens();
    let [_, third] = world.refresh(&second).await.tokens();
    assert_eq!(world.revoke("test-client", &second).await, Outcome::Revoked);
    world.login().await;
    for token in [first, second, third] {
        assert!(!world.knows(&token));
        let answer = world.refresh(&token).await;
        assert_eq!(
            answer.error(),
            (INVALID_GRANT.0, INVALID_GRANT.1.to_owned())
        );
    }
}

#[tokio::test]
async fn order_about_a_subject_ends_refresh_tokens_without_a_link() {
    let world = World::new().await;
    let [_, linked] = world.login().await;
    world.order(100).await;
    let answer = world.refresh("older").await;
    assert_eq!(
        answer.error(),
        (INVALID_GRANT.0, INVALID_GRANT.1.to_owned())
    );
    // It does not become newer by that.
    let answer = world.refresh("older").await;
    assert_eq!(
        answer.error(),
        (INVALID_GRANT.0, INVALID_GRANT.1.to_owned())
    );
    // What was issued after the date is known to be newer.
    world.refresh(&linked).await.tokens();
}

#[tokio::test]
async fn order_ends_a_token_that_came_without_a_link_before_it() {
    let world = World::new().await;
    let [_, rotated] = world.refresh("older").await.tokens();
    world.order(100).await;
    let answer = world.refresh("older").await;
    assert_eq!(
        answer.error(),
        (INVALID_GRANT.0, INVALID_GRANT.1.to_owned())
    );
    world.refresh(&rotated).await.tokens();
}

#[tokio::test]
async fn order_ends_refresh_tokens_that_no_link_has_room_for() {
    let mut world = World::new().await;
    world.links = world.links.clone().capacity(1).per_client(1);
    world.mint = Arc::new(|token| token.client("other-client"));
    world.login().await;
    world.mint = Arc::new(|token| token);
    world.order(100).await;
    let answer = world.refresh("older").await;
    assert_eq!(
        answer.error(),
        (INVALID_GRANT.0, INVALID_GRANT.1.to_owned())
    );
    assert!(!world.knows("older"));
}

/// Its subject is unknown, and may be one of an order.
#[tokio::test]
async fn token_without_a_link_waits_until_its_access_token_can_be_introspected() {
    let world = World::new().await;
    let away = world.layer_with(says(Err("no keys")));
    let service = away.layer(world.authorization_server());
    let request = form("grant_type=refresh_token&refresh_token=older");
    let held = answer(service.oneshot(request).await.unwrap()).await;
    assert_eq!(held.error(), (503, "temporarily_unavailable".into()));
    assert!(!world.knows("older"));
}
