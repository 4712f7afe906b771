//! What a request revokes, and the response (RFC 7009 §2).

use hyper::header;
use tower_revocation::{ByHint, Outcome, RevocationLayer, SuccessBody, TokenTypeHint};

use super::fixture::{C1, WRONG, World, always, send, with};

#[tokio::test]
async fn own_token_is_revoked() {
    let world = World::new();
    world.form("token=RT1").await.assert_ok();
    assert!(!world.is_live("RT1"));
    assert!(world.is_live("AT1"));
}

#[tokio::test]
async fn unknown_and_revoked_tokens_get_the_success_response() {
    let world = World::new();
    let success = world.form("token=RT1").await;
    assert_eq!(world.form("token=RT1").await, success);
    assert_eq!(world.form("token=does-not-exist").await, success);
}

#[tokio::test]
async fn foreign_token_is_refused_with_any_hint_and_stays_live() {
    let world = World::new();
    let refused = world.form("token=RT2").await;
    refused.assert_error(400, "invalid_grant");
    for hint in ["access_token", "refresh_token", "bogus", ""] {
        let body = format!("token=RT2&token_type_hint={hint}");
        assert_eq!(world.form(body).await, refused);
    }
    let of_another_public = world.bare("token=RTpub2&client_id=spa-1").await;
    assert_eq!(of_another_public, refused);
    assert!(world.is_live("RT2") && world.is_live("RTpub2"));
}

#[tokio::test]
async fn silent_layer_reports_success_for_a_foreign_token_and_revokes_nothing() {
    let world = World::new();
    let silent = || world.layer().silent_for_foreign_tokens(true);
    let request = |token| {
        with(format!("token={token}"), |head| {
            head.header("authorization", C1)
        })
    };
    let foreign = send(silent(), request("RT2")).await;
    foreign.assert_ok();
    assert_eq!(send(silent(), request("does-not-exist")).await, foreign);
    assert!(world.is_live("RT2"));
}

#[tokio::test]
async fn public_client_revokes_its_own_token() {
    let world = World::new();
    world.bare("token=RTpub&client_id=spa-1").await.assert_ok();
    assert!(!world.is_live("RTpub"));
}

#[tokio::test]
async fn request_without_a_client_is_a_failed_authentication() {
    let world = World::new();
    world.bare("token=RTpub").await.assert_unauthorized();
    assert!(world.is_live("RTpub"));
}

#[tokio::test]
async fn client_is_authenticated_before_the_token_is_checked() {
    let world = World::new();
    for body in [
        "token=AT1",
        "token=RT2",
        "token=unknown",
        "token_type_hint=access_token",
        "token=%00",
    ] {
        let request = with(body, |head| head.header(header::AUTHORIZATION, WRONG));
        world.send(request).await.assert_unauthorized();
    }
    assert_eq!(world.looked_up(), 0);
}

#[tokio::test]
async fn wrong_unknown_and_missing_hints_still_revoke() {
    for hint in [
        "access_token",
        "refresh_token",
        "bogus",
        "REFRESH_TOKEN",
        "device_secret",
        "",
    ] {
        for token in ["RT1", "AT1"] {
            let world = World::new();
            world
                .form(format!("token={token}&token_type_hint={hint}"))
                .await
                .assert_ok();
            assert!(!world.is_live(token), "{hint}");
        }
    }
}

#[tokio::test]
async fn hints_reach_the_backend_as_names() {
    let world = World::new();
    for body in [
        "token=x",
        "token=x&token_type_hint=",
        "token=x&token_type_hint=access_token",
    ] {
        world.form(body).await;
    }
    world
        .form("token=x&token_type_hint=urn%3Aexample%3Apct")
        .await;
    let hints: Vec<_> = world
        .lookups
        .lock()
        .unwrap()
        .iter()
        .map(|(_, hint)| hint.clone())
        .collect();
    let urn = TokenTypeHint::Other("urn:example:pct".into());
    assert_eq!(
        hints,
        [None, None, Some(TokenTypeHint::AccessToken), Some(urn)]
    );
}

#[tokio::test]
async fn additional_key_spaces_have_names() {
    let world = World::new();
    let found = || always::<&str>(Ok(Outcome::Revoked));
    let nothing = || always::<&str>(Ok(Outcome::NotFound));
    for hint in ["pct", "device_secret", "refresh_token", "bogus"] {
        let backend = ByHint::new(nothing(), nothing()).with("pct", found());
        let layer = RevocationLayer::new("/revoke", world.authenticator(), backend);
        let body = format!("token=PCT1&token_type_hint={hint}");
        send(layer, with(body, |head| head.header("authorization", C1)))
            .await
            .assert_ok();
    }
}

#[tokio::test]
async fn live_token_that_cannot_be_revoked_is_an_error() {
    let world = World::new();
    let backend = always::<&str>(Ok(Outcome::Unsupported));
    let layer = RevocationLayer::new("/revoke", world.authenticator(), backend);
    let request = with("token=JWT", |head| head.header("authorization", C1));
    send(layer, request)
        .await
        .assert_error(400, "unsupported_token_type");
}

#[tokio::test]
async fn unrecognised_parameters_are_ignored() {
    let world = World::new();
    let body = "token=RT1&token_type=access_token&callback=alert(1)&scope=a&scope=b";
    world.form(body).await.assert_ok();
    assert!(!world.is_live("RT1"));
}

#[tokio::test]
async fn success_body_can_be_an_empty_object() {
    let world = World::new();
    let layer = world.layer().success_body(SuccessBody::EmptyObject);
    let request = with("token=RT1", |head| head.header("authorization", C1));
    let response = send(layer, request).await;
    assert_eq!(
        (response.status.as_u16(), &*response.body),
        (200, &b"{}"[..])
    );
    assert_eq!(
        response.header(header::CONTENT_TYPE),
        Some("application/json")
    );
}
