//! Names that contain markup.

use crate::{
    client::{Visitor, form},
    world::{ISSUER, OTHER_ISSUER, World},
};

const MARKUP: &str = "<b onclick=\"x\">'\"&amp;</b><script>1</script>";

fn is_shown_as_text(text: &str) -> bool {
    let has_markup = text.contains("<b ") || text.contains("<script") || text.contains("'\"");
    text.contains("&#60;b onclick=&#34;x&#34;&#62;") && !has_markup
}

#[tokio::test]
async fn markup_in_names_and_reasons_is_shown_as_text() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let page = operator
        .get(&format!("/subjects?{}", form(&[("subject", MARKUP)])))
        .await;
    assert!(is_shown_as_text(&page.text), "{}", page.text);
    let token = page.hidden("form_token");
    let fields = [
        ("form_token", &*token),
        ("kind", "subject"),
        ("name", MARKUP),
        ("client", MARKUP),
    ];
    let page = operator.post("/orders/confirm", &fields).await;
    assert!(is_shown_as_text(&page.text), "{}", page.text);
    let order = page.hidden("order");
    let fields = [
        ("form_token", &*token),
        ("order", &*order),
        ("reason", MARKUP),
    ];
    let answer = operator.post("/orders", &fields).await;
    let receipt = operator.get(answer.header("location")).await;
    assert_eq!(
        receipt.text.matches("&#60;b onclick").count(),
        3,
        "{}",
        receipt.text
    );
    assert!(is_shown_as_text(&receipt.text));
    assert_eq!(world.records().await, 1);
}

#[tokio::test]
async fn name_in_another_direction_shows_its_marks() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let subject = "ali\u{202e}ecila\u{200b}\u{2066}\n";
    let page = operator
        .get(&format!("/subjects?{}", form(&[("subject", subject)])))
        .await;
    assert!(
        page.text
            .contains("ali\\u{202e}ecila\\u{200b}\\u{2066}\\n</bdi>"),
        "{}",
        page.text
    );
    // The form has the name itself.
    assert!(page.text.contains(&format!("value=\"{subject}\"")));
}

#[tokio::test]
async fn long_name_is_refused_by_the_service() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let long = "x".repeat(10_000);
    let token = operator.get("/").await.hidden("form_token");
    let fields = [
        ("form_token", &*token),
        ("kind", "subject"),
        ("name", &long),
    ];
    let page = operator.post("/orders/confirm", &fields).await;
    assert_eq!(page.status, 400);
    assert!(
        page.text.contains("a name is empty or too long"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn problem_of_the_service_is_a_page() {
    let world = World::of_issuers(&[ISSUER, OTHER_ISSUER]).await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let home = operator.get("/").await;
    assert!(home.text.contains("<option>https://other.test</option>"));
    let token = home.hidden("form_token");
    for (issuer, status, detail) in [
        ("", 400, "the order has to name the issuer"),
        (
            "https://evil.test",
            422,
            "the issuer is not one of this server",
        ),
        (OTHER_ISSUER, 200, "https://other.test"),
    ] {
        let fields = [
            ("form_token", &*token),
            ("kind", "subject"),
            ("name", "alice"),
            ("issuer", issuer),
        ];
        let page = operator.post("/orders/confirm", &fields).await;
        assert_eq!(page.status, status);
        assert!(page.text.contains(detail), "{}", page.text);
    }
}

#[tokio::test]
async fn token_is_in_no_page() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let secret = world.issuer.token().subject("alice").sign();
    let token = operator.get("/tokens").await.hidden("form_token");
    let fields = [
        ("form_token", &*token),
        ("token", &*secret),
        ("kind", "token"),
    ];
    let found = operator.post("/tokens", &fields).await;
    assert!(found.text.contains("The token is live."), "{}", found.text);
    let confirmed = operator.post("/orders/confirm", &fields).await;
    let order = confirmed.hidden("order");
    let fields = [("form_token", &*token), ("order", &*order)];
    let answer = operator.post("/orders", &fields).await;
    let receipt = operator.get(answer.header("location")).await;
    assert!(!world.is_live(&secret).await);
    for page in [found, confirmed, receipt] {
        assert!(!page.text.contains(&secret), "{}", page.text);
    }
}
