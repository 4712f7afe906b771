//! What every response says to the browser.

use http_body_util::Full;

use crate::{client::Visitor, world::World};

const PAGES: [&str; 5] = ["/", "/orders/new", "/tokens", "/status", "/nothing-there"];

#[tokio::test]
async fn no_page_runs_a_script_or_is_kept_or_framed() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    let mut stranger = Visitor::of(&world);
    let mut answers = vec![stranger.get("/sign-in").await, stranger.get("/").await];
    for page in PAGES {
        answers.push(operator.get(page).await);
    }
    for answer in answers {
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; \
             base-uri 'none'"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        for forbidden in ["<script", "style=", "onclick", "javascript:", "http:"] {
            assert!(!answer.text.contains(forbidden), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn cookie_of_a_session_is_for_this_host_and_for_no_script() {
    let world = World::new().await;
    let mut visitor = Visitor::of(&world);
    let answer = visitor.sign_in("token-operator").await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    let cookie = cookies[0].to_str().unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with("__Host-revocation-operator="), "{pair}");
    assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Strict");
    // 256 bits.
    assert_eq!(pair.split_once('=').unwrap().1.len(), 43);
}

#[tokio::test]
async fn style_sheet_is_kept_under_its_digest() {
    let world = World::new().await;
    let mut visitor = Visitor::of(&world);
    let page = visitor.get("/sign-in").await;
    let path = page.text.split("href=\"").nth(1).unwrap();
    let path = path.split('"').next().unwrap().to_owned();
    let style = visitor.get(&path).await;
    assert_eq!(style.status, 200);
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(
        style.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let request = visitor.request("GET", &path);
    let request = request.header("if-none-match", style.header("etag"));
    let again = visitor.send(request.body(Full::default()).unwrap()).await;
    assert_eq!((again.status.as_u16(), &*again.text), (304, ""));
}

#[tokio::test]
async fn page_says_which_methods_it_has() {
    let world = World::new().await;
    let mut operator = Visitor::operator(&world, "operator").await;
    for (method, path, status, allowed) in [
        ("PUT", "/", 405, "GET, HEAD, POST"),
        ("GET", "/orders/confirm", 405, "POST"),
        ("GET", "/sign-out", 405, "POST"),
        ("HEAD", "/status", 200, ""),
    ] {
        let request = operator.request(method, path).body(Full::default());
        let answer = operator.send(request.unwrap()).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("allow"), allowed);
    }
    let token = operator.get("/").await.hidden("form_token");
    let answer = operator.post("/status", &[("form_token", &token)]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("allow")),
        (405, "GET, HEAD")
    );
}
