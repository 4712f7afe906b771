//! The requests that the other server receives, and the URIs that are refused.

use hyper::{
    Method,
    header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST},
};
use serde_json::json;
use tower_revocation::{
    Secret,
    introspect::upstream::{Upstream, UpstreamErrorKind},
};

use crate::upstream::{active, ask, server::Server};

#[tokio::test]
async fn token_is_sent_as_a_form_by_post() {
    let server = Server::json(active(json!({}))).await;
    ask(&server.uncached(), "a+b/c== d&token=e%").await.unwrap();

    let [seen] = server.requests().try_into().ok().unwrap();
    assert_eq!(seen.method, Method::POST);
    assert_eq!(seen.path, "/introspect?tenant=1");
    assert_eq!(seen.body, "token=a%2Bb%2Fc%3D%3D+d%26token%3De%25");
    assert_eq!(
        seen.headers[CONTENT_TYPE],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(seen.headers[ACCEPT], "application/json");
    assert_eq!(seen.headers[ACCEPT_ENCODING], "identity");
    assert_eq!(seen.headers[HOST], server.address().to_string());
    assert!(!seen.headers.contains_key(AUTHORIZATION));
}

#[tokio::test]
async fn both_halves_of_basic_are_form_encoded() {
    let server = Server::json(active(json!({}))).await;
    let builder = server.uncached_builder();
    for (id, secret, expected) in [
        // RFC 6749 §2.3.1
        (
            "s6BhdRkqt3",
            "7Fjfp0ZBr1KtDRbnfVdmIw",
            "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3",
        ),
        // `plus%3A:a%2Bb+%25%3D`
        ("plus:", "a+b %=", "Basic cGx1cyUzQTphJTJCYislMjUlM0Q="),
        // `=:`, encoded.
        ("=", "", "Basic JTNEOg=="),
        // `%C3%BC:%E2%82%AC`
        ("ü", "€", "Basic JUMzJUJDOiVFMiU4MiVBQw=="),
    ] {
        let builder = builder.clone().basic(id, &Secret::new(secret));
        let upstream = builder.build().unwrap();
        ask(&upstream, "t").await.unwrap();
        let seen = server.requests().pop().unwrap();
        assert_eq!(seen.headers[AUTHORIZATION], expected, "{id}");
    }
}

#[tokio::test]
async fn secret_may_be_sent_raw_or_in_the_body() {
    let server = Server::json(active(json!({}))).await;
    let secret = Secret::new("a+b %=:c");
    // `plus::a+b %=:c`
    let raw = server.uncached_builder().basic_raw("plus:", &secret);
    ask(&raw.clone().build().unwrap(), "t").await.unwrap();
    let seen = server.requests().pop().unwrap();
    assert_eq!(seen.headers[AUTHORIZATION], "Basic cGx1czo6YStiICU9OmM=");
    assert_eq!(seen.body, "token=t");

    // The last call counts.
    let in_body = raw.post("plus:", &secret);
    ask(&in_body.clone().build().unwrap(), "t").await.unwrap();
    let seen = server.requests().pop().unwrap();
    assert!(!seen.headers.contains_key(AUTHORIZATION));
    let expected = "token=t&client_id=plus%3A&client_secret=a%2Bb+%25%3D%3Ac";
    assert_eq!(seen.body, expected);
    assert!(!format!("{in_body:?}").contains("a+b"));

    let basic = in_body.basic("c1", &Secret::new("s"));
    ask(&basic.build().unwrap(), "t").await.unwrap();
    let seen = server.requests().pop().unwrap();
    assert_eq!(seen.headers[AUTHORIZATION], "Basic YzE6cw==");
    assert_eq!(seen.body, "token=t");
}

#[tokio::test]
async fn bearer_token_authenticates_this_server() {
    let server = Server::json(active(json!({}))).await;
    let builder = server
        .uncached_builder()
        .basic("c", &Secret::new("s"))
        .bearer(&Secret::new("23410913-abewfq.123483"));
    ask(&builder.clone().build().unwrap(), "t").await.unwrap();
    let seen = server.requests().pop().unwrap();
    assert_eq!(seen.headers[AUTHORIZATION], "Bearer 23410913-abewfq.123483");

    let invalid = builder.bearer(&Secret::new("a\r\nb: c"));
    let error = invalid.build().unwrap_err();
    assert_eq!(error.kind(), UpstreamErrorKind::Configuration);
}

#[test]
fn plain_http_to_other_machines_has_to_be_allowed() {
    for uri in [
        "https://as.example.com/introspect",
        "https://10.0.0.1/",
        "https://[::1]:8443/",
        "http://localhost:8080/",
        "http://LOCALHOST/",
        "http://127.0.0.1/",
        "http://127.8.8.8/",
        "http://[::1]/introspect",
    ] {
        assert!(Upstream::builder(uri).build().is_ok(), "{uri}");
    }
    for uri in [
        "http://as.example.com/",
        "http://10.0.0.1/",
        "http://localhost.example.com/",
        "http://0.0.0.0/",
        "http://[::ffff:10.0.0.1]/",
    ] {
        let builder = Upstream::builder(uri);
        let error = builder.clone().build().unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Configuration, "{uri}");
        let message = error.to_string();
        assert_eq!(message, "invalid configuration: the URI is not https");
        assert!(builder.allow_plain_http(true).build().is_ok(), "{uri}");
    }
    for uri in [
        "",
        "/introspect",
        "localhost",
        "ftp://localhost/",
        "unix:/run/as.sock",
        "http://user@localhost/",
        "http://127.0.0.1@as.example.com/",
        "https://as.example.com/#fragment",
        "http://2130706433/",
        "http://0x7f.1/",
    ] {
        let builder = Upstream::builder(uri);
        assert!(builder.clone().build().is_err(), "{uri}");
        assert!(builder.allow_plain_http(true).build().is_err(), "{uri}");
    }
}
