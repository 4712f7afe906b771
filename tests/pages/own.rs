//! The pages of users, without a browser.

use http_body_util::Full;
use hyper::header::{AUTHORIZATION, HeaderValue, ORIGIN};

use crate::{client::Visitor, world::World};

const COOKIE: &str = "__Host-revocation-user";

async fn sign_in(visitor: &mut Visitor, token: &str) -> u16 {
    let form_token = visitor.get("/me/sign-in").await.hidden("form_token");
    let fields = [("form_token", &*form_token), ("token", token)];
    visitor.post("/me/sign-in", &fields).await.status.as_u16()
}

#[tokio::test]
async fn user_signs_in_by_a_live_token_only() {
    let world = World::new().await;
    let mut visitor = Visitor::of(&world);
    assert_eq!(visitor.get("/me").await.header("location"), "/me/sign-in");
    let expired = world.issuer.token().subject("alice").expired().sign();
    let forged = world.issuer.token().subject("alice").forged().sign();
    for token in ["x", "token-operator", &expired, &forged] {
        assert_eq!(sign_in(&mut visitor, token).await, 403, "{token}");
        assert!(!visitor.cookies.contains_key(COOKIE));
    }
    let token = world.issuer.token().subject("alice").sign();
    assert_eq!(sign_in(&mut visitor, &token).await, 303);
    let page = visitor.get("/me").await;
    assert!(page.text.contains("This session") && !page.text.contains(&token));
    // The cookie of a user is none of an operator.
    let cookie = visitor.cookies[COOKIE].clone();
    visitor
        .cookies
        .insert("__Host-revocation-operator".to_owned(), cookie);
    assert_eq!(visitor.get("/").await.header("location"), "/sign-in");
}

#[tokio::test]
async fn user_ends_only_own_sessions() {
    let world = World::new().await;
    let own = world.used("alice", "a1").await;
    let other = world.used("alice", "a2").await;
    let foreign = world.used("bob", "b1").await;
    let [mut alice, mut bob] = [Visitor::of(&world), Visitor::of(&world)];
    assert_eq!(sign_in(&mut alice, &own).await, 303);
    assert_eq!(sign_in(&mut bob, &foreign).await, 303);
    let of_bob = bob.get("/me").await.hidden("session");
    let page = alice.get("/me").await;
    assert_eq!(page.text.matches("name=\"session\"").count(), 2);
    let form_token = page.hidden("form_token");
    let fields = [("form_token", &*form_token), ("session", &*of_bob)];
    let page = alice.post("/me/end", &fields).await;
    assert_eq!(page.status, 404);
    assert!(page.text.contains("nothing has ended"), "{}", page.text);
    assert!(world.is_live(&foreign).await);
    let fields = [("form_token", &*form_token), ("token", &*foreign)];
    assert_eq!(alice.post("/me/token", &fields).await.status, 422);
    assert!(world.is_live(&foreign).await);
    let answer = alice
        .post("/me/end-others", &[("form_token", &form_token)])
        .await;
    assert_eq!(answer.header("location"), "/me");
    // The page says so once.
    let notice = "All other sessions that were seen here have ended.";
    assert!(alice.get("/me").await.text.contains(notice));
    assert!(!alice.get("/me").await.text.contains(notice));
    assert!(world.is_live(&own).await && !world.is_live(&other).await);
    // The token is revoked: the session of the browser ends with it.
    let fields = [("form_token", &*form_token), ("token", &*own)];
    assert_eq!(alice.post("/me/token", &fields).await.status, 303);
    assert!(!world.is_live(&own).await);
    assert_eq!(
        alice.get("/me").await.header("location"),
        "/me/sign-in?ended"
    );
    assert!(!alice.cookies.contains_key(COOKIE));
}

#[tokio::test]
async fn forged_form_ends_no_session() {
    let world = World::new().await;
    let own = world.used("alice", "a1").await;
    let other = world.used("alice", "a2").await;
    let mut alice = Visitor::of(&world);
    sign_in(&mut alice, &own).await;
    let form_token = alice.get("/me").await.hidden("form_token");
    let session = alice.get("/me").await.hidden("session");
    for path in ["/me/end", "/me/end-others", "/me/token", "/me/sign-out"] {
        for wrong in ["", "x", &form_token[1..]] {
            let fields = [
                ("form_token", wrong),
                ("session", &session),
                ("token", &own),
            ];
            assert_eq!(alice.post(path, &fields).await.status, 403, "{path}");
        }
        let fields = [
            ("form_token", &*form_token),
            ("session", &session),
            ("token", &own),
        ];
        let mut request = alice.form(path, &fields);
        let evil = HeaderValue::from_static("https://evil.test");
        request.headers_mut().insert(ORIGIN, evil);
        assert_eq!(alice.send(request).await.status, 403, "{path}");
        assert_eq!(alice.get(path).await.status, 405);
    }
    assert!(world.is_live(&own).await && world.is_live(&other).await);
}

#[tokio::test]
async fn token_that_a_proxy_sends_needs_no_sign_in() {
    let world = World::new().await;
    let token = world.used("alice", "a1").await;
    let other = world.used("alice", "a2").await;
    let mut alice = Visitor::of(&world);
    let field = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    let request = alice.request("GET", "/me").header(AUTHORIZATION, &field);
    let page = alice.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("Sign out"));
    // The cookie alone is none.
    assert_eq!(alice.get("/me").await.header("location"), "/me/sign-in");
    let form_token = page.hidden("form_token");
    for (form_token, status) in [("forged", 403), (&*form_token, 303)] {
        let mut request = alice.form("/me/end-others", &[("form_token", form_token)]);
        request.headers_mut().insert(AUTHORIZATION, field.clone());
        assert_eq!(alice.send(request).await.status, status);
    }
    assert!(!world.is_live(&other).await);
    let expired = world.issuer.token().subject("alice").expired().sign();
    let request = alice.request("GET", "/me");
    let request = request.header(AUTHORIZATION, format!("Bearer {expired}"));
    let page = alice.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(page.status, 401);
}

#[tokio::test]
async fn guesses_of_users_hold_up_no_operator() {
    let world = World::new().await;
    let mut visitor = Visitor::of(&world);
    for _ in 0..10 {
        assert_eq!(sign_in(&mut visitor, "guess").await, 403);
    }
    assert_eq!(sign_in(&mut visitor, "guess").await, 429);
    assert_eq!(visitor.sign_in("token-operator").await.status, 303);
}

#[tokio::test]
async fn wrong_tokens_of_requests_end_no_session() {
    let world = World::new().await;
    let token = world.used("alice", "a1").await;
    let mut alice = Visitor::of(&world);
    assert_eq!(sign_in(&mut alice, &token).await, 303);
    let mut other = Visitor::of(&world);
    // More than the share of an address.
    for _ in 0..300 {
        let request = other.request("GET", "/me");
        let request = request.header(AUTHORIZATION, "Bearer x");
        let page = other.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(page.status, 401);
        assert!(!other.cookies.contains_key(COOKIE));
    }
    assert_eq!(alice.get("/me").await.status, 200);
}
