//! Whose report of the original method and URI counts.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use hyper::{
    Request,
    header::{HeaderMap, HeaderName},
    http::request::Builder,
};
use tower_revocation::{
    client::PeerAddr,
    proxy::{IdentityHeaders, VerifyService},
};

use crate::{service::ask, world::Authority};

const PROXY: &str = "127.0.0.1:40000";

fn from(question: Builder, peer: &str) -> Builder {
    question.extension(PeerAddr(peer.parse::<SocketAddr>().unwrap()))
}

/// The question of a proxy about the route that needs no token.
pub(crate) fn health() -> Builder {
    from(Request::get("/verify"), PROXY)
        .header("x-original-method", "GET")
        .header("x-original-uri", "/health")
}

async fn status(authority: &Authority, question: Builder) -> u16 {
    let networks = ["127.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().unwrap());
    let service = authority.service().trusted_proxies(networks);
    ask(service, question).await.status().as_u16()
}

#[tokio::test]
async fn route_without_a_token_is_reported_in_three_ways() {
    let authority = Authority::new().await;
    let forwarded = from(Request::get("/verify?full=1"), "[2001:db8::7]:1")
        .header("x-forwarded-method", "HEAD")
        .header("x-forwarded-uri", "/health?full=1")
        .header("x-forwarded-host", "api.test");
    let below = from(
        Request::put("/verify/health?full=1"),
        "[::ffff:127.0.0.9]:1",
    );
    for (question, method, uri) in [
        (health(), "GET", "/health"),
        (forwarded, "HEAD", "/health?full=1"),
        (below, "PUT", "/health?full=1"),
    ] {
        assert_eq!(status(&authority, question).await, 200);
        let route = authority.last_route();
        assert_eq!(
            (route.method.as_str(), &*route.uri.to_string()),
            (method, uri)
        );
    }
}

#[tokio::test]
async fn reports_that_agree_count() {
    let authority = Authority::new().await;
    let question = health()
        .header("x-forwarded-method", "GET")
        .header("x-forwarded-uri", "/health");
    assert_eq!(status(&authority, question).await, 200);
    let question = from(Request::get("/verify/health"), PROXY)
        .header("x-forwarded-method", "GET")
        .header("x-forwarded-uri", "/health");
    assert_eq!(status(&authority, question).await, 200);
}

#[tokio::test]
async fn report_of_others_does_not_count() {
    let authority = Authority::new().await;
    let report = |question: Builder| {
        question
            .header("x-original-method", "GET")
            .header("x-original-uri", "/health")
    };
    let below = || Request::get("/verify/health");
    for question in [
        report(Request::get("/verify")),
        report(from(Request::get("/verify"), "192.0.2.7:1")),
        report(from(Request::get("/verify"), "[2001:db9::1]:1")),
        below(),
        from(below(), "192.0.2.7:1"),
        from(below(), "[::1]:1"),
    ] {
        assert_eq!(status(&authority, question).await, 401);
    }
    // By default nobody counts.
    let service = authority.service();
    assert_eq!(ask(service, health()).await.status(), 401);
    assert_eq!(authority.known_routes(), 0);
}

#[tokio::test]
async fn report_that_a_client_may_have_written_does_not_count() {
    let authority = Authority::new().await;
    let original = |method: &str, uri: &str| {
        from(Request::get("/verify"), PROXY)
            .header("x-original-method", method)
            .header("x-original-uri", uri)
    };
    let api = || original("GET", "/api");
    for (what, question) in [
        (
            "another URI",
            health()
                .header("x-forwarded-method", "GET")
                .header("x-forwarded-uri", "/api"),
        ),
        (
            "another method",
            health()
                .header("x-forwarded-method", "PUT")
                .header("x-forwarded-uri", "/health"),
        ),
        (
            "the other pair",
            api()
                .header("x-forwarded-method", "GET")
                .header("x-forwarded-uri", "/health"),
        ),
        ("half a pair", health().header("x-forwarded-uri", "/health")),
        (
            "the other half",
            health().header("x-forwarded-method", "GET"),
        ),
        ("a URI twice", health().header("x-original-uri", "/api")),
        (
            "the same URI twice",
            health().header("x-original-uri", "/health"),
        ),
        (
            "a method twice",
            health().header("x-original-method", "GET"),
        ),
        (
            "only a URI",
            from(Request::get("/verify"), PROXY).header("x-original-uri", "/health"),
        ),
        (
            "only a method",
            from(Request::get("/verify"), PROXY).header("x-original-method", "GET"),
        ),
        (
            "a path and a field",
            from(Request::get("/verify/api"), PROXY)
                .header("x-original-method", "GET")
                .header("x-original-uri", "/health"),
        ),
        (
            "Forwarded",
            from(Request::get("/verify"), PROXY).header("forwarded", "path=/health"),
        ),
        ("no report", from(Request::get("/verify"), PROXY)),
        ("no method", original("", "/health")),
        ("no text", original("GET", "/h\u{e9}alth")),
    ] {
        assert_eq!(status(&authority, question).await, 401, "{what}");
    }
}

#[tokio::test]
async fn path_that_is_not_canonical_needs_a_token() {
    let authority = Authority::new().await;
    let live = authority.live();
    for path in [
        "/health/../api",
        "/health/%2e%2E/api",
        "/health/.",
        "/health//",
        "//health",
        "/health%2f",
        "/health%5c",
        "/health\\",
        "/health#/../api",
        "/.well-known/health",
        "health",
        "*",
        "",
        "http://api.test/health",
    ] {
        let question = || {
            from(Request::get("/verify"), PROXY)
                .header("x-forwarded-method", "GET")
                .header("x-forwarded-uri", path)
        };
        assert_eq!(status(&authority, question()).await, 401, "{path}");
        let question = question().header("authorization", &*live);
        assert_eq!(status(&authority, question).await, 200, "{path}");
    }
    // The service cannot tell which route it is, so nobody chooses a policy for it.
    assert_eq!(authority.known_routes(), 0);
    for path in ["/verify//health", "/verify/health/..", "/verify/%2e/health"] {
        let question = from(Request::get(path), PROXY);
        assert_eq!(status(&authority, question).await, 401, "{path}");
    }
    assert_eq!(authority.known_routes(), 0);
}

#[tokio::test]
async fn head_has_only_believed_fields() {
    let authority = Authority::new().await;
    let question = health()
        .header("forwarded", "for=192.0.2.7")
        .header("content-type", "application/json")
        .header("x-forwarded-host", "api.test")
        .header("x-own", "1");
    assert_eq!(status(&authority, question).await, 200);
    let route = authority.last_route();
    assert_eq!(route.headers["x-forwarded-host"], "api.test");
    assert_eq!(route.headers["x-own"], "1");
    assert!(!route.headers.contains_key("forwarded"));
    assert!(!route.headers.contains_key("content-type"));
}

/// What others report is not in the head at all, wherever the layer looks for a token.
#[tokio::test]
async fn head_has_no_reports_of_others() {
    let authority = Authority::new().await;
    let seen = Arc::<Mutex<Vec<(String, HeaderMap)>>>::default();
    let heads = seen.clone();
    let layer = authority.layer.clone().token_from(move |uri, headers| {
        heads
            .lock()
            .unwrap()
            .push((uri.to_string(), headers.clone()));
        None
    });
    let service = VerifyService::new(layer, IdentityHeaders::new());
    let question = from(Request::get("/verify?a=b"), "192.0.2.7:1")
        .header("x-original-method", "GET")
        .header("x-original-uri", "/health")
        .header("x-forwarded-uri", "/health")
        .header("x-forwarded-host", "api.test")
        .header("x-forwarded-proto", "https")
        .header("forwarded", "host=api.test")
        .header("content-type", "application/grpc")
        .header("x-own", "1");
    assert_eq!(ask(service, question).await.status(), 401);
    let heads = seen.lock().unwrap();
    let (uri, headers) = heads.first().expect("the layer looks for a token");
    assert_eq!(uri, "/verify?a=b");
    let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    assert_eq!(names, ["x-own"]);
}
