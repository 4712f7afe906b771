//! The orders that the server keeps.

use crate::{client::Visitor, world::World};

/// Revokes the tokens of a subject. Returns the page after it.
async fn revoke(operator: &mut Visitor, subject: &str, reason: &str) -> String {
    let [token, order] = operator.confirm(subject).await;
    let fields = [
        ("form_token", &*token),
        ("order", &*order),
        ("reason", reason),
    ];
    let answer = operator.post("/orders", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.header("location").to_owned()
}

#[tokio::test]
async fn order_that_is_kept_has_a_page_for_every_operator() {
    let world = World::with_trail().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let path = revoke(&mut operator, "<b>alice</b>", "<i>lost</i>").await;
    assert!(path.starts_with("/orders/"), "{path}");
    let mut viewer = Visitor::operator(&world, "viewer").await;
    let page = viewer.get(&path).await;
    assert_eq!(page.status, 200);
    for shown in [
        "&#60;b&#62;alice",
        "&#60;i&#62;lost",
        "operator-1",
        "This is revoked",
    ] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    for wrong in ["/orders/x", "/orders/..%2f..", "/orders/1.2", "/orders/a/b"] {
        assert_eq!(viewer.get(wrong).await.status, 404, "{wrong}");
    }
}

#[tokio::test]
async fn list_of_orders_is_in_pages_and_by_subject() {
    let world = World::with_trail().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    for at in 0..55 {
        revoke(&mut operator, &format!("user {}", at % 2), "r").await;
    }
    let page = operator.get("/orders").await;
    assert_eq!(page.text.matches("<tr>").count(), 51);
    let next = page.text.split("<a href=\"/orders?").nth(1).unwrap();
    let next = next.split('"').next().unwrap().replace("&amp;", "&");
    let page = operator.get(&format!("/orders?{next}")).await;
    assert_eq!(page.text.matches("<tr>").count(), 6);
    assert!(!page.text.contains("Older orders"));
    let page = operator.get("/orders?subject=user+1&actor=").await;
    assert_eq!(page.text.matches("<tr>").count(), 28);
    assert!(page.text.contains("value=\"user 1\"") && !page.text.contains("user 0"));
    let page = operator.get("/orders?actor=nobody").await;
    assert!(
        page.text.contains("There are no such orders."),
        "{}",
        page.text
    );
    let page = operator.get("/subjects?subject=user+1").await;
    assert_eq!(page.text.matches("<tr>").count(), 6);
    assert_eq!(operator.get("/orders?cursor=x").await.status, 400);
}

#[tokio::test]
async fn form_that_is_sent_twice_at_once_is_one_order() {
    let world = World::with_trail().await;
    let mut first = Visitor::operator(&world, "operator").await;
    let mut second = Visitor::of(&world);
    second.cookies.clone_from(&first.cookies);
    let [token, order] = first.confirm("alice").await;
    let fields = [("form_token", &*token), ("order", &*order)];
    let (one, other) = tokio::join!(
        first.post("/orders", &fields),
        second.post("/orders", &fields)
    );
    assert!(one.status == 303 || other.status == 303);
    for answer in [one, other] {
        assert!(
            [303, 503].contains(&answer.status.as_u16()),
            "{}",
            answer.text
        );
    }
    let page = first.get("/orders").await;
    assert_eq!(page.text.matches("<tr>").count(), 2);
}

#[tokio::test]
async fn server_that_keeps_no_orders_says_so() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let page = operator.get("/orders").await;
    assert_eq!(page.status, 404);
    assert!(
        page.text.contains("the server keeps no orders"),
        "{}",
        page.text
    );
}
