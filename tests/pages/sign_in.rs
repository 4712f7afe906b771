//! Who gets in.

use http_body_util::Full;

use crate::{
    client::Visitor,
    world::{PROXY_FIELD, World},
};

#[tokio::test]
async fn right_token_signs_in_and_a_wrong_one_does_not() {
    let world = World::new().await;
    let mut visitor = Visitor::of(&world);
    for token in ["token-admin", "token-operator2", "é", " "] {
        let answer = visitor.sign_in(token).await;
        assert!(matches!(answer.status.as_u16(), 400 | 403), "{token}");
        assert!(!visitor.cookies.contains_key("__Host-revocation-operator"));
        assert_eq!(visitor.get("/").await.header("location"), "/sign-in");
    }
    // A token that was pasted may have blanks around it.
    assert_eq!(visitor.sign_in(" token-operator ").await.status, 303);
    let home = visitor.get("/").await;
    assert!(home.text.contains("operator-1"), "{}", home.text);
    assert_eq!(visitor.get("/sign-in").await.header("location"), "/");
}

#[tokio::test]
async fn every_page_needs_a_sign_in() {
    let world = World::new().await;
    let mut visitor = Visitor::of(&world);
    for path in [
        "/",
        "/subjects?subject=alice",
        "/orders/new",
        "/tokens",
        "/status",
        "/x",
    ] {
        let answer = visitor.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (303, "/sign-in")
        );
    }
    for path in ["/orders", "/orders/confirm", "/tokens", "/sign-out"] {
        let fields = [("kind", "subject"), ("name", "alice"), ("token", "t")];
        assert_eq!(visitor.post(path, &fields).await.status, 403);
    }
    assert_eq!(world.records().await, 0);
}

#[tokio::test]
async fn guesses_are_limited_and_hold_up_no_session() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let mut guesser = Visitor::of(&world);
    for _ in 0..10 {
        assert_eq!(guesser.sign_in("guess").await.status, 403);
    }
    let answer = guesser.sign_in("token-operator").await;
    assert_eq!(answer.status, 429);
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds));
    assert_eq!(operator.get("/").await.status, 200);
}

#[tokio::test]
async fn sign_in_makes_a_new_session() {
    let world = World::new().await;
    let mut first = Visitor::operator(&world, "operator").await;
    let stolen = first.cookies.clone();
    assert_eq!(first.get("/sign-in").await.status, 303);
    let mut victim = Visitor::of(&world);
    let form_token = victim.get("/sign-in").await.hidden("form_token");
    // Somebody has given the browser a cookie before.
    let known = "A".repeat(43);
    let name = "__Host-revocation-operator";
    victim.cookies.insert(name.to_owned(), known.clone());
    let fields = [("form_token", &*form_token), ("token", "token-operator")];
    assert_eq!(victim.post("/sign-in", &fields).await.status, 303);
    assert_ne!(victim.cookies[name], known);
    assert_ne!(victim.cookies[name], stolen[name]);
}

#[tokio::test]
async fn viewer_sees_but_revokes_nothing() {
    let world = World::new().await;
    let mut viewer = Visitor::operator(&world, "viewer").await;
    let home = viewer.get("/").await;
    assert!(!home.text.contains("href=\"/tokens\""));
    let token = home.hidden("form_token");
    let fields = [
        ("form_token", &*token),
        ("kind", "subject"),
        ("name", "alice"),
    ];
    let page = viewer.post("/orders/confirm", &fields).await;
    assert!(
        page.text.contains("Your role viewer may not do this."),
        "{}",
        page.text
    );
    assert!(!page.text.contains("name=\"order\""));
    let page = viewer
        .post("/tokens", &[("form_token", &token), ("token", "t")])
        .await;
    assert_eq!(page.status, 403);
    assert!(
        page.text.contains("the role operator is needed"),
        "{}",
        page.text
    );
    assert_eq!(world.records().await, 0);
}

#[tokio::test]
async fn operator_whom_a_proxy_names_needs_no_token() {
    let world = World::new().await;
    let mut visitor = Visitor::of(&world);
    let named = |visitor: &Visitor, path: &str, name: &str| {
        let request = visitor.request("GET", path).header(PROXY_FIELD, name);
        request.body(Full::default()).unwrap()
    };
    let stranger = visitor.send(named(&visitor, "/", "bob")).await;
    assert_eq!(stranger.header("location"), "/sign-in");
    // Operators with a token are not named by the proxy.
    let stranger = visitor.send(named(&visitor, "/", "operator-1")).await;
    assert_eq!(stranger.header("location"), "/sign-in");
    let home = visitor.send(named(&visitor, "/orders/new", "ann")).await;
    assert_eq!(home.status, 200);
    assert!(home.text.contains("ann") && !home.text.contains("Sign out"));
    let form_token = home.hidden("form_token");
    let form = |visitor: &Visitor, name: &str, token: &str| {
        let fields = [("form_token", token), ("kind", "subject"), ("name", "x")];
        let mut request = visitor.form("/orders/confirm", &fields);
        let name = name.parse().unwrap();
        request.headers_mut().insert(PROXY_FIELD, name);
        request
    };
    assert_eq!(
        visitor
            .send(form(&visitor, "ann", &form_token))
            .await
            .status,
        200
    );
    assert_eq!(
        visitor.send(form(&visitor, "ann", "forged")).await.status,
        403
    );
    // The session is of her alone.
    let of_others = form(&visitor, "bob", &form_token);
    assert_eq!(visitor.send(of_others).await.status, 403);
    assert_eq!(visitor.get("/").await.header("location"), "/sign-in");
}
