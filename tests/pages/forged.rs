//! Forms that no page of the session has sent.

use http_body_util::Full;
use hyper::header::{COOKIE, HOST, HeaderValue, ORIGIN};

use crate::{client::Visitor, world::World};

#[tokio::test]
async fn form_without_the_token_of_the_session_does_nothing() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let mut other = Visitor::operator(&world, "operator").await;
    let [token, order] = operator.confirm("alice").await;
    let [of_other, _] = other.confirm("alice").await;
    let before = Visitor::of(&world)
        .get("/sign-in")
        .await
        .hidden("form_token");
    for wrong in [
        "",
        "x",
        &of_other,
        &before,
        &token[1..],
        &token.to_lowercase(),
    ] {
        let fields = [("form_token", wrong), ("order", &order)];
        let answer = operator.post("/orders", &fields).await;
        assert_eq!(answer.status, 403, "{wrong}");
    }
    assert_eq!(
        operator.post("/orders", &[("order", &order)]).await.status,
        403
    );
    let twice = [
        ("form_token", &*token),
        ("form_token", &token),
        ("order", &order),
    ];
    assert_eq!(operator.post("/orders", &twice).await.status, 400);
    for path in ["/sign-out", "/orders/confirm", "/tokens", "/nothing"] {
        let fields = [("kind", "subject"), ("name", "alice"), ("token", "t")];
        assert_eq!(operator.post(path, &fields).await.status, 403, "{path}");
    }
    assert_eq!(world.records().await, 0);
    // The session is not harmed.
    let fields = [("form_token", &*token), ("order", &order)];
    assert_eq!(operator.post("/orders", &fields).await.status, 303);
    assert_eq!(world.records().await, 1);
}

#[tokio::test]
async fn order_of_another_session_is_none() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let mut other = Visitor::operator(&world, "operator").await;
    let [token, _] = operator.confirm("alice").await;
    let [_, foreign] = other.confirm("alice").await;
    let answer = operator
        .post("/orders", &[("form_token", &token), ("order", &foreign)])
        .await;
    assert_eq!(answer.status, 409);
    assert_eq!(
        operator.get(&format!("/receipts/{foreign}")).await.status,
        404
    );
    assert_eq!(world.records().await, 0);
}

#[tokio::test]
async fn form_of_another_origin_does_nothing() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let [token, order] = operator.confirm("alice").await;
    let fields = [("form_token", &*token), ("order", &*order)];
    for origin in [
        "https://evil.test",
        "null",
        "http://127.0.0.1:1",
        "",
        &world.host,
    ] {
        let mut request = operator.form("/orders", &fields);
        let origin_field = HeaderValue::from_str(origin).unwrap();
        request.headers_mut().insert(ORIGIN, origin_field);
        assert_eq!(operator.send(request).await.status, 403, "{origin}");
    }
    let mut request = operator.form("/orders", &fields);
    request.headers_mut().remove(ORIGIN);
    assert_eq!(operator.send(request).await.status, 403);
    for site in ["cross-site", "same-site", "none"] {
        let mut request = operator.form("/orders", &fields);
        let headers = request.headers_mut();
        headers.insert("sec-fetch-site", HeaderValue::from_static(site));
        assert_eq!(operator.send(request).await.status, 403, "{site}");
    }
    // The sign-in too: else a page could sign a visitor in as somebody else.
    let mut visitor = Visitor::of(&world);
    let form_token = visitor.get("/sign-in").await.hidden("form_token");
    let sign_in = [("form_token", &*form_token), ("token", "token-operator")];
    let mut request = visitor.form("/sign-in", &sign_in);
    let evil = HeaderValue::from_static("https://evil.test");
    request.headers_mut().insert(ORIGIN, evil);
    assert_eq!(visitor.send(request).await.status, 403);
    let mut request = visitor.form("/sign-in", &sign_in);
    request
        .headers_mut()
        .insert(COOKIE, HeaderValue::from_static("a=b"));
    assert_eq!(visitor.send(request).await.status, 403);
    assert_eq!(world.records().await, 0);
}

#[tokio::test]
async fn other_names_of_the_server_are_refused() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let port = world.host.split_once(':').unwrap().1.to_owned();
    for host in ["evil.test", &format!("evil.test:{port}"), "127.0.0.1", ""] {
        for path in ["/", "/sign-in", "/status"] {
            let request = operator.request("GET", path).header(HOST, host);
            let answer = operator.send(request.body(Full::default()).unwrap()).await;
            assert_eq!(answer.status, 403, "{host}");
            assert!(answer.headers.get("set-cookie").is_none());
        }
    }
}

#[tokio::test]
async fn reading_a_page_changes_nothing() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "security").await;
    let [token, order] = operator.confirm("alice").await;
    let query = format!("form_token={token}&order={order}&kind=subject&name=alice&token=t");
    for path in [
        "/",
        "/orders",
        "/orders/confirm",
        "/tokens",
        "/sign-out",
        "/orders/new",
    ] {
        operator.get(&format!("{path}?{query}")).await;
    }
    assert_eq!(world.records().await, 0);
    assert_eq!(operator.get("/").await.status, 200);
}

#[tokio::test]
async fn form_that_is_sent_twice_is_one_order() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let [token, order] = operator.confirm("alice").await;
    let fields = [
        ("form_token", &*token),
        ("order", &*order),
        ("reason", "lost"),
    ];
    let first = operator.post("/orders", &fields).await;
    let second = operator.post("/orders", &fields).await;
    assert_eq!(first.status, 303);
    assert_eq!(first.header("location"), second.header("location"));
    let receipt = operator.get(first.header("location")).await;
    assert!(receipt.text.contains("lost"), "{}", receipt.text);
    assert_eq!(world.records().await, 1);
}

#[tokio::test]
async fn body_that_is_no_form_is_refused() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let [token, order] = operator.confirm("alice").await;
    let fields = [("form_token", &*token), ("order", &*order)];
    for kind in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json",
    ] {
        let mut request = operator.form("/orders", &fields);
        let kind = HeaderValue::from_static(kind);
        request.headers_mut().insert("content-type", kind);
        assert_eq!(operator.send(request).await.status, 415);
    }
    let long = "x".repeat(70_000);
    let fields = [
        ("form_token", &*token),
        ("order", &*order),
        ("reason", &long),
    ];
    assert_eq!(operator.post("/orders", &fields).await.status, 413);
    assert_eq!(world.records().await, 0);
}
