//! The response to each error.

use std::{error::Error as StdError, fmt, time::Duration};

use hyper::{Method, Request, header};
use tower_revocation::{Error, ErrorKind, RevocationLayer};

use super::{own, response_to};
use crate::fixture::{C1, World, always, respond, send, with};

#[tokio::test]
async fn every_error_kind_has_its_response() {
    let table = [
        (ErrorKind::MethodNotAllowed, 405, "invalid_request"),
        (ErrorKind::UnsupportedMediaType, 415, "invalid_request"),
        (ErrorKind::UnsupportedContentCoding, 415, "invalid_request"),
        (ErrorKind::BodyTooLarge, 413, "invalid_request"),
        (ErrorKind::BodyTimeout, 408, "invalid_request"),
        (ErrorKind::InvalidRequest, 400, "invalid_request"),
        (ErrorKind::InvalidClient, 401, "invalid_client"),
        (ErrorKind::InvalidGrant, 400, "invalid_grant"),
        (
            ErrorKind::UnsupportedTokenType,
            400,
            "unsupported_token_type",
        ),
        (ErrorKind::TooManyRequests, 429, "temporarily_unavailable"),
        (ErrorKind::Unavailable, 503, "temporarily_unavailable"),
        (ErrorKind::ServerError, 500, "server_error"),
    ];
    for (kind, status, code) in table {
        let response = response_to(Error::new(kind)).await;
        response.assert_error(status, code);
        assert_eq!(response.header(header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(response.header(header::PRAGMA), Some("no-cache"));
        assert_eq!(
            response.header(header::X_CONTENT_TYPE_OPTIONS),
            Some("nosniff")
        );
        assert_eq!(
            response.headers.contains_key(header::WWW_AUTHENTICATE),
            status == 401
        );
        assert_eq!(response.headers.contains_key(header::ALLOW), status == 405);
        assert_eq!(
            response.headers.contains_key(header::RETRY_AFTER),
            status == 429 || status == 503
        );
        assert_eq!(
            response.headers.contains_key(header::CONNECTION),
            status == 413 || status == 408
        );
        // Fields that the server sets.
        assert!(!response.headers.contains_key(header::DATE));
        assert!(!response.headers.contains_key(header::SERVER));
    }
}

#[tokio::test]
async fn success_and_options_have_the_same_fields() {
    let world = World::new();
    let request = Request::options("/revoke").body(<_>::default()).unwrap();
    let options = world.send(request).await;
    assert_eq!((options.status.as_u16(), options.body.len()), (204, 0));
    assert_eq!(options.header(header::ALLOW), Some("POST, OPTIONS"));
    for response in [world.send(own("token=RT1")).await, options] {
        assert_eq!(response.header(header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(response.header(header::PRAGMA), Some("no-cache"));
        assert_eq!(
            response.header(header::X_CONTENT_TYPE_OPTIONS),
            Some("nosniff")
        );
    }
}

#[tokio::test]
async fn other_methods_get_an_allow_field() {
    for method in [
        "GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "post", "QUERY",
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = Request::builder()
            .method(method)
            .uri("/revoke")
            .header("x-http-method-override", "POST")
            .header(header::AUTHORIZATION, C1)
            .body(<_>::default())
            .unwrap();
        let response = World::new().send(request).await;
        response.assert_error(405, "invalid_request");
        assert_eq!(response.header(header::ALLOW), Some("POST, OPTIONS"));
        assert_eq!(response.body, r#"{"error":"invalid_request"}"#);
    }
}

#[tokio::test]
async fn retry_after_is_whole_seconds_rounded_up() {
    let after = async |duration| {
        let error = Error::new(ErrorKind::Unavailable).retry_after(duration);
        response_to(error)
            .await
            .header(header::RETRY_AFTER)
            .unwrap()
            .to_owned()
    };
    assert_eq!(after(Duration::from_millis(1500)).await, "2");
    assert_eq!(after(Duration::from_secs(2)).await, "2");
    assert_eq!(after(Duration::ZERO).await, "0");
    assert_eq!(after(Duration::MAX).await, u64::MAX.to_string());

    let layer = RevocationLayer::new("/revoke", World::new().authenticator(), always(Err("down")))
        .retry_after(Duration::from_secs(7));
    let response = send(layer, own("token=RT1")).await;
    assert_eq!(response.header(header::RETRY_AFTER), Some("7"));
}

#[tokio::test]
async fn error_text_has_only_characters_that_the_rfc_allows() {
    let error = Error::new(ErrorKind::InvalidRequest)
        .code("bad\"code\\\u{e9}")
        .description("a \"quoted\"\\ line\r\nSet-Cookie: x é \u{2028}");
    let response = response_to(error).await;
    let text = std::str::from_utf8(&response.body).unwrap();
    assert_eq!(
        text,
        r#"{"error":"bad?code??","error_description":"a ?quoted?? line??Set-Cookie: x ? ?"}"#
    );
}

#[derive(Clone, Debug)]
struct Wrapped(Error);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the limiter said no")
    }
}

impl StdError for Wrapped {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn crate_error_anywhere_in_the_chain_decides() {
    let error = Error::new(ErrorKind::TooManyRequests).retry_after(Duration::from_secs(30));
    let backend = always(Err(Wrapped(error)));
    let layer = RevocationLayer::new("/revoke", World::new().authenticator(), backend);
    let response = respond(layer, own("token=RT1")).await;
    assert_eq!(
        (
            response.status().as_u16(),
            response.headers()["retry-after"].as_bytes()
        ),
        (429, &b"30"[..])
    );
    // The source chain is complete.
    let error = response.extensions().get::<Error>().unwrap();
    assert_eq!(error.source().unwrap().to_string(), "the limiter said no");
}

#[tokio::test]
async fn realm_is_quoted() {
    let layer = World::new().layer().realm(r#"a "b" \c"#);
    let response = send(layer, with("token=RT1", |head| head)).await;
    let challenge = r#"Basic realm="a \"b\" \\c", charset="UTF-8""#;
    assert_eq!(response.header(header::WWW_AUTHENTICATE), Some(challenge));
}

#[test]
#[should_panic(expected = "visible ASCII")]
fn realm_with_a_line_break_panics() {
    let _ = World::new().layer().realm("a\r\nb");
}
