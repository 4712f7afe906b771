//! The tokens of a subject that were used here.

use crate::{client::Visitor, world::World};

#[tokio::test]
async fn session_that_was_seen_is_revoked_alone() {
    let world = World::with_trail().await;
    let [laptop, phone] = [
        world.used("alice", "s1").await,
        world.used("alice", "s2").await,
    ];
    let mut operator = Visitor::operator(&world, "operator").await;
    let page = operator.get("/subjects?subject=alice").await;
    for shown in [
        "Seen here since",
        "Firefox",
        "192.0.2.0/24",
        "shop",
        "There may be others",
    ] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    assert!(!page.text.contains(&laptop) && !page.text.contains("192.0.2.7"));
    let form_token = page.hidden("form_token");
    // The latest first use is first.
    let session = page.text.split("name=\"name\" value=\"").nth(2).unwrap();
    let session = session.split('"').next().unwrap();
    let fields = [
        ("form_token", &*form_token),
        ("kind", "handle"),
        ("subject", "alice"),
        ("name", session),
    ];
    let page = operator.post("/orders/confirm", &fields).await;
    assert!(
        page.text.contains("one session of the subject"),
        "{}",
        page.text
    );
    assert!(page.text.contains("1 would be revoked."), "{}", page.text);
    let order = page.hidden("order");
    let fields = [("form_token", &*form_token), ("order", &*order)];
    let answer = operator.post("/orders", &fields).await;
    let page = operator.get(answer.header("location")).await;
    assert!(
        page.text.contains("one session of the subject"),
        "{}",
        page.text
    );
    assert!(world.is_live(&laptop).await != world.is_live(&phone).await);

    // A handle of alice is none of bob.
    let fields = [
        ("form_token", &*form_token),
        ("kind", "handle"),
        ("subject", "bob"),
        ("name", session),
    ];
    assert_eq!(operator.post("/orders/confirm", &fields).await.status, 422);
}
