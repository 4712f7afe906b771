//! The responses, and what they never contain (RFC 6749 §5.2).

use std::{error::Error as StdError, fmt, time::Duration};

use hyper::{Method, Request, header};
use proptest::prelude::*;
use tower_revocation::{Error, ErrorKind, Outcome, RevocationLayer};

use super::{
    fixture::{C1, FullResponse, World, always, respond, send, with},
    form::encode,
};

fn own(body: &'static str) -> Request<http_body_util::Full<bytes::Bytes>> {
    with(body, |head| head.header(header::AUTHORIZATION, C1))
}

/// The response to an error of the backend.
async fn response_to(error: Error) -> FullResponse {
    let layer = RevocationLayer::new("/revoke", World::new().authenticator(), always(Err(error)));
    send(layer, own("token=RT1")).await
}

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
        let answer = response_to(Error::new(kind)).await;
        answer.assert_error(status, code);
        assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(answer.header(header::PRAGMA), Some("no-cache"));
        assert_eq!(
            answer.header(header::X_CONTENT_TYPE_OPTIONS),
            Some("nosniff")
        );
        assert_eq!(
            answer.headers.contains_key(header::WWW_AUTHENTICATE),
            status == 401
        );
        assert_eq!(answer.headers.contains_key(header::ALLOW), status == 405);
        assert_eq!(
            answer.headers.contains_key(header::RETRY_AFTER),
            status == 429 || status == 503
        );
        assert_eq!(
            answer.headers.contains_key(header::CONNECTION),
            status == 413 || status == 408
        );
        // Fields that the server sets.
        assert!(!answer.headers.contains_key(header::DATE));
        assert!(!answer.headers.contains_key(header::SERVER));
    }
}

#[tokio::test]
async fn success_and_options_have_the_same_fields() {
    let world = World::new();
    let request = Request::options("/revoke").body(<_>::default()).unwrap();
    let options = world.send(request).await;
    assert_eq!((options.status.as_u16(), options.body.len()), (204, 0));
    assert_eq!(options.header(header::ALLOW), Some("POST, OPTIONS"));
    for answer in [world.send(own("token=RT1")).await, options] {
        assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(answer.header(header::PRAGMA), Some("no-cache"));
        assert_eq!(
            answer.header(header::X_CONTENT_TYPE_OPTIONS),
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
        let answer = World::new().send(request).await;
        answer.assert_error(405, "invalid_request");
        assert_eq!(answer.header(header::ALLOW), Some("POST, OPTIONS"));
        assert_eq!(answer.body, r#"{"error":"invalid_request"}"#);
    }
}

#[tokio::test]
async fn media_types_are_parsed_and_compared() {
    let attempt = async |value: &str| {
        let mut request = own("token=RT1");
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, value.parse().unwrap());
        World::new().send(request).await
    };
    let form = "application/x-www-form-urlencoded";
    let good = [
        "APPLICATION/X-WWW-FORM-URLENCODED; CHARSET=\"utf-8\"",
        &format!("{form};"),
        &format!("{form};;; charset=UTF-8 ;"),
        &format!("{form}; boundary=x"),
        &format!("{form}; x=\"a;charset=latin1\""),
        &format!("{form}; x=\"a\\\";charset=latin1\""),
    ];
    for value in good {
        attempt(value).await.assert_ok();
    }
    let bad = [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "application/x-www-form-urlencoded2",
        "application/x-www-form-urlencoded, application/json",
        "; charset=utf-8",
    ];
    for value in bad {
        let answer = attempt(value).await;
        answer.assert_error(415, "invalid_request");
        assert_eq!(answer.header(header::ACCEPT), Some(form));
    }
    let mut none = own("token=RT1");
    none.headers_mut().remove(header::CONTENT_TYPE);
    World::new()
        .send(none)
        .await
        .assert_error(415, "invalid_request");
    let mut two = own("token=RT1");
    two.headers_mut()
        .append(header::CONTENT_TYPE, form.parse().unwrap());
    World::new().send(two).await.assert_invalid_request();
}

#[tokio::test]
async fn charset_does_not_matter_for_ascii() {
    // The media type does not define this parameter.
    let attempt = async |charset: &str, body: &'static str| {
        let mut request = own(body);
        let form = format!("application/x-www-form-urlencoded; charset={charset}");
        let form = form.parse().unwrap();
        request.headers_mut().insert(header::CONTENT_TYPE, form);
        World::new().send(request).await
    };
    let utf8 = ["utf-8", "UTF-8", "\"utf-8\"", "utf8", "Utf8", "\"UTF8\""];
    let others = [
        "ISO-8859-1",
        "iso-8859-1",
        "us-ascii",
        "\"US-ASCII\"",
        "windows-1252",
        "latin1",
        "utf-16",
        "utf-8; charset=latin1",
        "latin1; charset=utf-8",
        "",
        "madeup",
    ];
    for charset in utf8.iter().chain(&others) {
        attempt(charset, "token=RT1").await.assert_ok();
        // Escapes of ASCII characters.
        attempt(charset, "token=%52T1&x=%7F%41+").await.assert_ok();
    }
    // An é in UTF-8, raw and escaped.
    for body in ["token=RT1&x=é", "token=RT1&x=%C3%A9"] {
        for charset in utf8 {
            attempt(charset, body).await.assert_ok();
        }
        for charset in others {
            let answer = attempt(charset, body).await;
            answer.assert_error(415, "invalid_request");
            let form = "application/x-www-form-urlencoded";
            assert_eq!(answer.header(header::ACCEPT), Some(form));
        }
    }
    attempt("iso-8859-1", "token=RT1&x=%e9")
        .await
        .assert_error(415, "invalid_request");
    // A broken escape is an error with every charset.
    for body in ["token=RT1&x=%E", "token=RT1&x=%8z", "token=RT1&x=%"] {
        for charset in ["utf-8", "iso-8859-1"] {
            attempt(charset, body).await.assert_invalid_request();
        }
    }
}

#[tokio::test]
async fn only_identity_coding_is_accepted() {
    let attempt = async |value: &str| {
        let mut request = own("token=RT1");
        request
            .headers_mut()
            .insert(header::CONTENT_ENCODING, value.parse().unwrap());
        World::new().send(request).await
    };
    for value in ["identity", "Identity", "identity, identity", ""] {
        attempt(value).await.assert_ok();
    }
    for value in ["gzip", "identity, gzip", "br"] {
        let answer = attempt(value).await;
        answer.assert_error(415, "invalid_request");
        assert_eq!(answer.header(header::ACCEPT_ENCODING), Some("identity"));
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
    let answer = send(layer, own("token=RT1")).await;
    assert_eq!(answer.header(header::RETRY_AFTER), Some("7"));
}

#[tokio::test]
async fn error_text_has_only_characters_that_the_rfc_allows() {
    let error = Error::new(ErrorKind::InvalidRequest)
        .code("bad\"code\\\u{e9}")
        .description("a \"quoted\"\\ line\r\nSet-Cookie: x é \u{2028}");
    let answer = response_to(error).await;
    let text = std::str::from_utf8(&answer.body).unwrap();
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
async fn error_is_in_the_extensions_and_its_cause_is_not_sent() {
    let cause = "password of the database is hunter2";
    let backend = always(Err(cause));
    let layer = RevocationLayer::new("/revoke", World::new().authenticator(), backend);
    let response = respond(layer.clone(), own("token=RT1")).await;
    let error = response.extensions().get::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.source().unwrap().to_string(), cause);
    let answer = send(layer, own("token=RT1")).await;
    assert!(!format!("{answer:?}").contains("hunter2"));

    let foreign = respond(World::new().layer(), own("token=RT2")).await;
    assert_eq!(
        foreign.extensions().get::<Error>().unwrap().kind(),
        ErrorKind::InvalidGrant
    );
    let success = respond(World::new().layer(), own("token=RT1")).await;
    assert!(success.extensions().get::<Error>().is_none());
}

#[tokio::test]
async fn realm_is_quoted() {
    let layer = World::new().layer().realm(r#"a "b" \c"#);
    let answer = send(layer, with("token=RT1", |head| head)).await;
    let challenge = r#"Basic realm="a \"b\" \\c", charset="UTF-8""#;
    assert_eq!(answer.header(header::WWW_AUTHENTICATE), Some(challenge));
}

#[test]
#[should_panic(expected = "visible ASCII")]
fn realm_with_a_line_break_panics() {
    let _ = World::new().layer().realm("a\r\nb");
}

#[tokio::test]
async fn line_break_in_a_parameter_injects_no_header() {
    let answer = World::new()
        .bare("token=t&client_id=a%0d%0aSet-Cookie%3Ax")
        .await;
    answer.assert_unauthorized();
    assert!(!answer.headers.contains_key(header::SET_COOKIE));
}

proptest! {
    #[test]
    fn response_repeats_nothing_of_the_request(
        secret in "[~^|][a-zA-Z0-9<>~^|]{5,20}",
        shape in prop::sample::select(vec![
            "token=SECRET", "token=RT1&client_id=SECRET", "client_secret=SECRET&client_id=post-client",
            "token=RT1&SECRET=x", "token=RT1&client_assertion=SECRET", "token_type_hint=SECRET",
            "token=SECRET%00", "SECRET=%zz",
        ]),
        authorized in any::<bool>(),
        outcome in prop::sample::select(vec![
            Outcome::Revoked, Outcome::NotFound, Outcome::IssuedToAnother, Outcome::Unsupported,
        ]),
    ) {
        let body = shape.replace("SECRET", &encode(&secret));
        let request = with(body, |head| if authorized {
            head.header(header::AUTHORIZATION, C1).header("x-secret", &secret)
        } else {
            head
        });
        let layer = RevocationLayer::new(
            "/revoke",
            World::new().authenticator(),
            always::<&str>(Ok(outcome)),
        );
        let answer = futures::executor::block_on(send(layer, request));
        let text = format!("{answer:?}");
        prop_assert!(!text.contains(&secret));
    }
}
