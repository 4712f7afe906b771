//! `POST /v1/tokens:inspect`.

use std::time::Duration;

use super::*;

async fn inspect(world: &World, token: &str) -> Value {
    let body = json!({ "token": token }).to_string();
    let answer = send(world.local(), post("/v1/tokens:inspect", &body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    assert!(!answer.json.to_string().contains(token));
    answer.json
}

#[tokio::test]
async fn claims_verdict_and_selectors_of_a_token() {
    let world = World::new().await;
    let token = world.issuer.token().subject("alice").client("web").id("j1");
    let token = token.session("s1").scope("read write").sign();
    let inspection = inspect(&world, &token).await;
    assert_eq!(inspection["verdict"], "live");
    let claims = &inspection["claims"];
    for (name, value) in [
        ("kind", json!("access_token")),
        ("iss", json!(ISSUER)),
        ("client_id", json!("web")),
        ("sub", json!("alice")),
        ("jti", json!("j1")),
        ("sid", json!("s1")),
        ("scope", json!("read write")),
        ("aud", json!([TestIssuer::AUDIENCE])),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert!(claims["exp"].as_u64() > claims["iat"].as_u64());
    assert!(claims.get("grant").is_none());

    world.order(&json!({ "target": { "session": "s1" } })).await;
    let inspection = inspect(&world, &token).await;
    assert_eq!(
        (&inspection["verdict"], &inspection["revoked_by"]),
        (&json!("revoked"), &json!("session"))
    );
    let selectors = inspection["selectors"].as_array().unwrap();
    let revoked: Vec<_> = selectors
        .iter()
        .filter(|it| it["revoked"] == true)
        .collect();
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0]["class"], "session");
    assert_eq!(selectors.len(), 6);
}

#[tokio::test]
async fn token_beyond_the_longest_lifetime_is_too_old_and_keeps_its_exp() {
    let world = World::new().await;
    let now = NumericDate::now();
    // The default is a day.
    let issued = NumericDate::new(now.seconds() - 2 * 86_400);
    let month = Duration::from_secs(30 * 86_400);
    let token = world.issuer.token().issued_at(issued).expires_in(month);
    let inspection = inspect(&world, &token.sign()).await;
    assert_eq!(inspection["verdict"], "too_old");
    let exp = (issued + month).seconds();
    assert_eq!(inspection["claims"]["exp"], exp);
}

#[tokio::test]
async fn token_that_is_not_live() {
    let world = World::new().await;
    let later = NumericDate::now() + Duration::from_secs(1000);
    for (token, verdict, reason) in [
        (
            world.issuer.token().expired().sign(),
            "expired",
            Value::Null,
        ),
        (
            world.issuer.token().claim("nbf", later.seconds()).sign(),
            "not_yet",
            Value::Null,
        ),
        (
            world.issuer.token().forged().sign(),
            "invalid",
            json!("signature"),
        ),
        (
            world.issuer.token().audience("https://x.test").sign(),
            "invalid",
            json!("audience"),
        ),
        ("opaque".to_owned(), "invalid", json!("not_a_token")),
    ] {
        let inspection = inspect(&world, &token).await;
        assert_eq!(inspection["verdict"], verdict, "{inspection}");
        assert_eq!(inspection["reason"], reason, "{inspection}");
        assert_eq!(inspection.get("claims").is_none(), verdict == "invalid");
    }
}

#[tokio::test]
async fn verdict_is_unknown_without_a_fresh_index() {
    let mut world = World::new().await;
    world.index = Index::new();
    let token = world.issuer.token().sign();
    assert_eq!(inspect(&world, &token).await["verdict"], "unknown");
    let expired = world.issuer.token().expired().sign();
    assert_eq!(inspect(&world, &expired).await["verdict"], "expired");
}
