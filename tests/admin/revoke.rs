//! `POST /v1/revocations`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::sync::Notify;
use tower::service_fn;
use tower_revocation::{
    introspect::{Introspected, IssuedWith, Reason, TokenKind},
    log::Selector,
};

use super::*;

/// A token with every name.
fn named(world: &World) -> String {
    let token = world
        .issuer
        .token()
        .subject("alice")
        .client("web")
        .id("jti-1");
    let key = URL_SAFE_NO_PAD.encode([7; 32]);
    let token = token.claim("cnf", json!({ "jkt": key }));
    token.session("s1").grant("g1").sign()
}

#[tokio::test]
async fn each_target_revokes_its_tokens_and_no_others() {
    let key = URL_SAFE_NO_PAD.encode([7; 32]);
    for (target, class, is_permanent) in [
        (json!({ "subject": "alice" }), "subject", false),
        (json!({ "client": "web" }), "client", false),
        (
            json!({ "subject": "alice", "client": "web" }),
            "subject_and_client",
            false,
        ),
        (json!({ "session": "s1" }), "session", true),
        (json!({ "grant": "g1" }), "grant", true),
        (json!({ "jti": "jti-1" }), "token", true),
        (json!({ "key": key }), "key", false),
        (json!({ "issuer": ISSUER }), "issuer", false),
    ] {
        let world = World::new().await;
        let token = named(&world);
        let answer = world
            .order(&json!({ "target": target, "reason": "test" }))
            .await;
        assert_eq!(
            answer.status,
            StatusCode::CREATED,
            "{target}: {}",
            answer.json
        );
        assert_eq!(answer.headers[CONTENT_TYPE], "application/json");
        let receipt = &answer.json;
        assert_eq!(receipt["class"], class);
        assert_eq!(receipt["sequence"], 1);
        assert_eq!(receipt["not_before"].is_null(), is_permanent, "{target}");
        assert!(!world.is_live(&token).await, "{target}");
        if class != "issuer" {
            let other = world.issuer.token().subject("bob").client("app").sign();
            assert!(world.is_live(&other).await, "{target}");
        }
    }
}

#[tokio::test]
async fn token_in_hand_revokes_itself() {
    let world = World::new().await;
    let [token, other] = [named(&world), world.issuer.token().subject("alice").sign()];
    let answer = world.order(&json!({ "target": { "token": token } })).await;
    assert_eq!(
        (answer.status, &answer.json["class"]),
        (StatusCode::CREATED, &json!("token"))
    );
    assert!(!world.is_live(&token).await && world.is_live(&other).await);
    for foreign in [
        "opaque",
        &*TestIssuer::new("https://other.test").token().sign(),
    ] {
        let answer = world
            .order(&json!({ "target": { "token": foreign } }))
            .await;
        answer.is_problem(422);
        assert!(!answer.json.to_string().contains(foreign));
    }
    let nameless = world.issuer.token().without("jti").sign();
    world
        .order(&json!({ "target": { "token": nameless } }))
        .await
        .is_problem(422);
}

#[tokio::test]
async fn refresh_token_revokes_what_was_issued_with_it() {
    let world = World::new().await;
    let access = world.issuer.token().id("jti-9").sign();
    let linked = service_fn(|_: Secret| {
        let mut known = Introspection::new(TokenKind::RefreshToken, "test-client");
        known.tenant = Some(ISSUER.into());
        known.sub = Some("test-subject".into());
        known.grant = Some("link:1".into());
        let mut with = IssuedWith::default();
        with.tokens
            .push((Selector::token(ISSUER, "jti-9"), NumericDate::FOREVER));
        known.issued_with = Some(Box::new(with));
        std::future::ready(Ok::<_, BoxError>(Introspected::Token(known)))
    });
    let tenants = Tenants::each_issuer([ISSUER]);
    let service = world.service_of(linked, tenants, Access::owner("root"));
    let order = json!({ "target": { "token": "refresh" } }).to_string();
    let answer = send(service, post("/v1/revocations", &order)).await;
    assert_eq!(
        (answer.status, &answer.json["class"]),
        (StatusCode::CREATED, &json!("grant"))
    );
    assert_eq!(answer.json["sequence"], 2);
    assert!(!world.is_live(&access).await);
    let family = Selector::grant("link:1").within(ISSUER);
    assert!(world.index.covers_selector(&family, None));
}

/// A refresh is on its way while the order is carried out.
#[tokio::test]
async fn token_that_is_issued_during_the_order_falls_too() {
    let world = World::new().await;
    let [first, second] = ["jti-1", "jti-2"].map(|id| world.issuer.token().id(id).sign());
    let looks = Arc::new(AtomicUsize::new(0));
    let seen = looks.clone();
    let linked = service_fn(move |_: Secret| {
        let mut known = Introspection::new(TokenKind::RefreshToken, "test-client");
        known.tenant = Some(ISSUER.into());
        known.grant = Some("link:1".into());
        let mut with = IssuedWith::default();
        let names =
            ["jti-1", "jti-2"].map(|id| (Selector::token(ISSUER, id), NumericDate::FOREVER));
        // The first look does not find the second token.
        let found = seen.fetch_add(1, Ordering::SeqCst) + 1;
        with.tokens.extend(names.into_iter().take(found));
        known.issued_with = Some(Box::new(with));
        std::future::ready(Ok::<_, BoxError>(Introspected::Token(known)))
    });
    let tenants = Tenants::each_issuer([ISSUER]);
    let service = world.service_of(linked, tenants, Access::owner("root"));
    let order = json!({ "target": { "token": "refresh" } }).to_string();
    let answer = send(service, post("/v1/revocations", &order)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert!(!world.is_live(&first).await && !world.is_live(&second).await);
    assert_eq!(answer.json["sequence"], world.records().await);
    assert_eq!(looks.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn order_is_carried_out_if_the_caller_goes_away() {
    let world = World::new().await;
    let (asked, goes_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (is_asked, may_go_on) = (asked.clone(), goes_on.clone());
    let slow = service_fn(move |_: Secret| {
        let (is_asked, may_go_on) = (is_asked.clone(), may_go_on.clone());
        async move {
            is_asked.notify_one();
            may_go_on.notified().await;
            let mut known = Introspection::new(TokenKind::RefreshToken, "test-client");
            known.tenant = Some(ISSUER.into());
            known.grant = Some("g1".into());
            Ok::<_, BoxError>(Introspected::Token(known))
        }
    });
    let tenants = Tenants::each_issuer([ISSUER]);
    let service = world.service_of(slow, tenants, Access::owner("root"));
    let order = json!({ "target": { "token": "refresh" } }).to_string();
    let sent = tokio::spawn(service.oneshot(post("/v1/revocations", &order)));
    asked.notified().await;
    sent.abort();
    assert!(sent.await.is_err_and(|error| error.is_cancelled()));
    goes_on.notify_one();
    let carried_out = async {
        while world.records().await == 0 {
            tokio::task::yield_now().await;
        }
    };
    let carried_out = tokio::time::timeout(Duration::from_secs(10), carried_out);
    carried_out.await.expect("the order is carried out");
}

/// The link was removed meanwhile, to make room.
#[tokio::test]
async fn order_that_is_carried_out_in_part_is_503_and_never_422() {
    let world = World::new().await;
    let looks = AtomicUsize::new(0);
    let looks = Arc::new(looks);
    let linked = service_fn(move |_: Secret| {
        let mut known = Introspection::new(TokenKind::RefreshToken, "test-client");
        known.tenant = Some(ISSUER.into());
        known.grant = Some("link:1".into());
        known.issued_with = Some(Box::new(IssuedWith::default()));
        std::future::ready(Ok::<_, BoxError>(
            match looks.fetch_add(1, Ordering::SeqCst) {
                0 => Introspected::Token(known),
                _ => Introspected::Unrecognised(Reason::NotAToken),
            },
        ))
    });
    let tenants = Tenants::each_issuer([ISSUER]);
    let service = world.service_of(linked, tenants, Access::owner("root"));
    let order = json!({ "target": { "token": "refresh" } }).to_string();
    let answer = send(service, post("/v1/revocations", &order)).await;
    answer.is_problem(503);
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(world.records().await, 1);
}

/// The clock of the issuer is ahead, so a record until now would miss the token.
#[tokio::test]
async fn refresh_token_with_an_access_token_of_the_future_is_503() {
    let world = World::new().await;
    let linked = service_fn(|_: Secret| {
        let mut known = Introspection::new(TokenKind::RefreshToken, "test-client");
        known.tenant = Some(ISSUER.into());
        known.sub = Some("test-subject".into());
        let mut with = IssuedWith::default();
        with.unnamed_until = Some(NumericDate::FOREVER);
        with.latest_iat = Some(NumericDate::new(NumericDate::now().seconds() + 30));
        known.issued_with = Some(Box::new(with));
        std::future::ready(Ok::<_, BoxError>(Introspected::Token(known)))
    });
    let tenants = Tenants::each_issuer([ISSUER]);
    let service = world.service_of(linked, tenants, Access::owner("root"));
    let order = json!({ "target": { "token": "refresh" } }).to_string();
    let answer = send(service, post("/v1/revocations", &order)).await;
    answer.is_problem(503);
    let delay = answer.headers["retry-after"].to_str().unwrap().parse();
    assert!((29..=30).contains(&delay.unwrap()));
    assert_eq!(world.records().await, 0);
}

#[tokio::test]
async fn date_spares_what_was_issued_later() {
    let world = World::new().await;
    let token = world.issuer.token().subject("alice").sign();
    let before = NumericDate::now().seconds() - 100;
    let order = json!({ "target": { "subject": "alice" }, "before": before });
    let answer = world.order(&order).await;
    assert_eq!(answer.json["not_before"], before);
    assert!(world.is_live(&token).await);
    // A date in the future counts as now.
    let order = json!({ "target": { "subject": "alice" }, "before": before + 10_000 });
    let answer = world.order(&order).await;
    assert!(answer.json["not_before"].as_u64().unwrap() <= NumericDate::now().seconds());
    assert!(!world.is_live(&token).await);
}

#[tokio::test]
async fn date_is_refused_where_all_tokens_fall() {
    let world = World::new().await;
    let token = named(&world);
    for target in [
        json!({ "jti": "jti-1" }),
        json!({ "token": token }),
        json!({ "session": "s1" }),
        json!({ "grant": "g1" }),
    ] {
        for before in [0, NumericDate::now().seconds() + 10_000] {
            let order = json!({ "target": target, "before": before });
            world.order(&order).await.is_problem(400);
            let dry_run = post("/v1/revocations?dry_run=true", &order.to_string());
            send(world.local(), dry_run).await.is_problem(400);
        }
    }
    assert_eq!(world.records().await, 0);
    assert!(world.is_live(&token).await);
}

#[tokio::test]
async fn order_with_no_target_or_several_is_refused() {
    let world = World::new().await;
    for order in [
        json!({}),
        json!({ "target": {} }),
        json!({ "target": { "subject": "" } }),
        json!({ "target": { "subject": "x".repeat(5000) } }),
        json!({ "target": { "subject": "a", "session": "s" } }),
        json!({ "target": { "subject": "a", "client": "c", "grant": "g" } }),
        json!({ "target": { "token": "t", "subject": "a" } }),
        json!({ "target": { "key": "short" } }),
        json!({ "target": { "key": URL_SAFE_NO_PAD.encode([7; 31]) } }),
        json!({ "target": { "subject": ["a"] } }),
        json!({ "target": { "user": "a" } }),
        json!({ "target": "alice" }),
        json!({ "target": { "subject": "a" }, "tenant": "t" }),
        json!({ "target": { "subject": "a" }, "before": -1 }),
        json!({ "target": { "subject": "a" }, "issuer": "" }),
        json!([{ "subject": "a" }, null, null, null]),
        json!({ "target": ["a", null, null, null, null, null, null, null] }),
    ] {
        world.order(&order).await.is_problem(400);
    }
    let doubled = r#"{"target":{"subject":"a","subject":"b"}}"#;
    send(world.local(), post("/v1/revocations", doubled))
        .await
        .is_problem(400);
    assert_eq!(world.records().await, 0);
}

#[tokio::test]
async fn dry_run_revokes_nothing_and_says_what_it_can() {
    let world = World::new().await;
    let token = named(&world);
    let ask = async |role: &str, target: &Value| {
        let order = json!({ "target": target }).to_string();
        send(
            world.remote(),
            by(role, post("/v1/revocations?dry_run=true", &order)),
        )
        .await
    };
    let alice = json!({ "subject": "alice" });
    let expected = |class, allowed, already, permanent| {
        json!({
            "class": class, "allowed": allowed,
            "already_revoked": already, "permanent": permanent, "sightings": null,
        })
    };
    let answer = ask("viewer", &alice).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json, expected("subject", false, false, false));
    let client = json!({ "client": "web" });
    assert_eq!(ask("operator", &client).await.json["allowed"], false);
    assert_eq!(ask("security", &client).await.json["allowed"], true);
    assert_eq!(world.records().await, 0);

    world.order(&json!({ "target": { "session": "s1" } })).await;
    let answer = ask("operator", &json!({ "session": "s1" })).await;
    assert_eq!(answer.json, expected("session", true, true, true));
    // Whether a token is genuine is not for viewers.
    ask("viewer", &json!({ "token": token }))
        .await
        .is_problem(403);
    let answer = ask("operator", &json!({ "token": token })).await;
    assert_eq!(answer.json, expected("token", true, false, true));
    let order = json!({ "target": alice }).to_string();
    for query in [
        "dry_run",
        "dry_run=1",
        "dry_run=true&dry_run=false",
        "token=x",
    ] {
        let request = post(&format!("/v1/revocations?{query}"), &order);
        send(world.local(), request).await.is_problem(400);
    }
    assert_eq!(world.records().await, 1);
}
