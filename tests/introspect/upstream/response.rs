//! How responses are read, and which are errors.

use std::{error::Error as _, time::Duration};

use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tower_revocation::{
    Error, Secret,
    introspect::{Reason, Scope, TokenKind, TokenType, jwt::Audience, upstream::UpstreamErrorKind},
    log::{NumericDate, Selector, SelectorClass},
};

use crate::upstream::{
    active, ask, introspect, printed,
    server::{Does, Server, json as respond, with_status, with_type},
};

const JWT: &str = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln";

fn opaque(token: &str) -> Selector {
    Selector::opaque_token(Sha256::digest(token).into())
}

#[tokio::test]
async fn members_of_an_active_token_are_read() {
    let server = Server::json(active(json!({
        "iss": "https://as.example.com", "sub": "alice", "aud": ["https://api.example.com", "b"],
        "jti": "j1", "sid": "s1", "scope": "read write", "token_type": "bearer", "username": "al",
        "iat": 1000, "nbf": 1001, "exp": 4_000_000_000_u64, "grant_id": "g1",
        "cnf": {
            "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2",
            "kid": "unknown",
        },
        "anything": { "else": [null, 1.5] },
    })))
    .await;
    let upstream = server
        .uncached_builder()
        .grant_claim("grant_id")
        .tenant("one")
        .build()
        .unwrap();
    // The last two bits of this `x5t#S256` are unused.
    let error = ask(&upstream, "t").await.unwrap_err();
    assert_eq!(error.kind(), UpstreamErrorKind::Malformed);

    server.says(&active(json!({
        "iss": "https://as.example.com", "sub": "alice", "aud": ["https://api.example.com", "b"],
        "jti": "j1", "sid": "s1", "scope": "read write", "token_type": "bearer", "username": "al",
        "iat": 1000, "nbf": 1001, "exp": 4_000_000_000_u64, "grant_id": "g1",
        "cnf": {
            "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg0",
            "kid": "unknown",
        },
        "anything": { "else": [null, 1.5] },
    })));
    let token = ask(&upstream, "t").await.unwrap().unwrap();
    assert_eq!(token.kind, TokenKind::AccessToken);
    assert_eq!(token.token_type, Some(TokenType::Bearer));
    assert_eq!(token.client_id, "c1");
    assert_eq!(token.iss.as_deref(), Some("https://as.example.com"));
    assert_eq!(token.sub.as_deref(), Some("alice"));
    assert_eq!(token.aud, ["https://api.example.com", "b"]);
    assert_eq!(token.jti.as_deref(), Some("j1"));
    assert_eq!(token.sid.as_deref(), Some("s1"));
    assert_eq!(token.grant.as_deref(), Some("g1"));
    assert_eq!(token.tenant.as_deref(), Some("one"));
    assert_eq!(token.scope.as_ref().unwrap().as_str(), "read write");
    assert_eq!(token.iat, Some(NumericDate::new(1000)));
    assert_eq!(token.nbf, Some(NumericDate::new(1001)));
    assert_eq!(token.exp, Some(NumericDate::new(4_000_000_000)));
    assert_eq!(
        token.token,
        Some(Selector::token("https://as.example.com", "j1"))
    );
    assert_eq!(token.selectors_of(SelectorClass::Key).count(), 2);
    assert_eq!(token.cnf.jkt.unwrap()[..2], [0xd1, 0x97]);
    assert_eq!(token.cnf.x5t_s256.unwrap()[..2], [0x6f, 0x07]);
    assert!(!token.rotated);
}

#[tokio::test]
async fn optional_members_may_be_missing() {
    let server = Server::json(active(json!({}))).await;
    let upstream = server.uncached();
    let bare = ask(&upstream, "t").await.unwrap().unwrap();
    assert_eq!((bare.iat, bare.exp, &bare.sub), (None, None, &None));
    assert_eq!(bare.token, Some(opaque("t")));
    assert!(
        bare.selectors()
            .eq([bare.token.unwrap(), Selector::client("c1")])
    );

    // `null` and empty strings count as missing.
    server.says(&active(json!({
        "iss": null, "sub": "", "aud": null, "jti": null, "sid": "", "scope": null, "iat": null,
        "nbf": null, "exp": null, "cnf": null, "token_type": null, "typ": null, "token_use": null,
    })));
    assert_eq!(ask(&upstream, "t").await.unwrap().unwrap(), bare);
}

#[tokio::test]
async fn inactive_token_is_unrecognised_with_any_other_members() {
    let server = Server::json(json!({ "active": false })).await;
    let upstream = server.uncached();
    assert_eq!(ask(&upstream, "t").await.unwrap(), None);
    server.says(&json!({ "active": false, "client_id": 7, "exp": "never" }));
    assert_eq!(ask(&upstream, "t").await.unwrap(), None);
}

#[tokio::test]
async fn opaque_token_has_the_selector_of_its_digest_and_a_jwt_never() {
    let server = Server::json(active(json!({}))).await;
    let upstream = server.uncached();
    for token in ["45ghiukldjahdnhzdauz", "ory_at_8Yb3.wQ7d", "a-._~+/=="] {
        let known = ask(&upstream, token).await.unwrap().unwrap();
        assert_eq!(known.token, Some(opaque(token)), "{token}");
    }
    // These could be encoded differently, or the server could strip bytes.
    for token in [
        JWT,
        "eyJhbGciOiJFUzI1NiJ9.e30=.c2ln",
        "one.two.three",
        "a.b.c.d.e",
        " a",
        "a=b",
    ] {
        let known = ask(&upstream, token).await.unwrap().unwrap();
        assert_eq!(known.token, None, "{token}");
    }
    // `iss` and `jti` are both needed.
    for half in [json!({ "jti": "j1" }), json!({ "iss": "i1" })] {
        server.says(&active(half));
        assert_eq!(ask(&upstream, JWT).await.unwrap().unwrap().token, None);
        assert_eq!(
            ask(&upstream, "t").await.unwrap().unwrap().token,
            Some(opaque("t"))
        );
    }
    server.says(&active(json!({ "iss": "i1", "jti": "j1" })));
    for token in [JWT, "t"] {
        let known = ask(&upstream, token).await.unwrap().unwrap();
        assert_eq!(known.token, Some(Selector::token("i1", "j1")), "{token}");
    }
}

#[tokio::test]
async fn opaque_token_of_any_visible_characters_has_a_selector_if_allowed() {
    let server = Server::json(active(json!({}))).await;
    let any = server
        .uncached_builder()
        .any_visible_token(true)
        .build()
        .unwrap();
    for token in ["17|yLDoe3", "urn:t:1", "a(b)", "\"{}", "x=y"] {
        let usual = ask(&server.uncached(), token).await.unwrap().unwrap();
        assert_eq!(usual.token, None, "{token}");
        let named = ask(&any, token).await.unwrap().unwrap();
        assert_eq!(named.token, Some(opaque(token)), "{token}");
    }
    // What looks like a JWT may still have another spelling.
    for token in [JWT, "a|b.c.d", "a b", "é"] {
        let named = ask(&any, token).await.unwrap().unwrap();
        assert_eq!(named.token, None, "{token}");
    }
}

#[tokio::test]
async fn refresh_tokens_are_recognised_by_all_known_names() {
    let server = Server::json(active(json!({}))).await;
    let upstream = server.uncached();
    for (beside, kind, token_type) in [
        (
            json!({ "token_type": "Bearer" }),
            Some(TokenKind::AccessToken),
            Some(TokenType::Bearer),
        ),
        (
            json!({ "token_type": "DPoP" }),
            Some(TokenKind::AccessToken),
            Some(TokenType::Dpop),
        ),
        (
            json!({ "token_type": "access_token" }),
            Some(TokenKind::AccessToken),
            None,
        ),
        (
            json!({ "token_use": "access" }),
            Some(TokenKind::AccessToken),
            None,
        ),
        (
            json!({ "typ": "at+jwt" }),
            Some(TokenKind::AccessToken),
            None,
        ),
        (
            json!({ "token_type": "refresh_token" }),
            Some(TokenKind::RefreshToken),
            None,
        ),
        (
            json!({ "token_type": "Bearer", "token_use": "refresh_token" }),
            Some(TokenKind::RefreshToken),
            Some(TokenType::Bearer),
        ),
        (
            json!({ "typ": "Refresh" }),
            Some(TokenKind::RefreshToken),
            None,
        ),
        (
            json!({ "typ": "Offline", "token_type": "Bearer" }),
            Some(TokenKind::RefreshToken),
            Some(TokenType::Bearer),
        ),
        (json!({ "token_use": "id" }), None, None),
        (json!({ "typ": "ID" }), None, None),
        (json!({ "token_type": "id_token" }), None, None),
    ] {
        server.says(&active(beside.clone()));
        let known = ask(&upstream, "t").await.unwrap();
        assert_eq!(known.as_ref().map(|it| it.kind), kind, "{beside}");
        assert_eq!(known.and_then(|it| it.token_type), token_type, "{beside}");
    }
}

#[tokio::test]
async fn token_without_a_client_is_an_error_until_the_claim_is_configured() {
    let server = Server::json(json!({ "active": true, "azp": "c2" })).await;
    let error = ask(&server.uncached(), "t").await.unwrap_err();
    assert_eq!(error.kind(), UpstreamErrorKind::Unowned);
    let upstream = server
        .uncached_builder()
        .client_claim("azp")
        .build()
        .unwrap();
    assert_eq!(ask(&upstream, "t").await.unwrap().unwrap().client_id, "c2");

    server.says(&json!({ "active": true, "azp": "" }));
    let error = ask(&upstream, "t").await.unwrap_err();
    assert_eq!(error.kind(), UpstreamErrorKind::Unowned);
}

#[tokio::test]
async fn fraction_of_a_second_is_dropped() {
    let server = Server::json(active(json!({ "iat": 1000.9, "exp": 4e9, "nbf": 1e3 }))).await;
    let token = ask(&server.uncached(), "t").await.unwrap().unwrap();
    assert_eq!(token.iat, Some(NumericDate::new(1000)));
    assert_eq!(token.exp, Some(NumericDate::new(4_000_000_000)));
    assert_eq!(token.nbf, Some(NumericDate::new(1000)));
}

#[tokio::test]
async fn ambiguous_response_is_an_error() {
    let server = Server::json(Value::Null).await;
    let upstream = server.uncached();
    for body in [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "true".to_owned(),
        "{}".to_owned(),
        "<!doctype html>".to_owned(),
        r#"{"active":"true","client_id":"c1"}"#.to_owned(),
        r#"{"active":1,"client_id":"c1"}"#.to_owned(),
        r#"{"active":null,"client_id":"c1"}"#.to_owned(),
        r#"{"active":"false"}"#.to_owned(),
        r#"{"active":false} {"active":true}"#.to_owned(),
        r#"{"active":false,"active":true,"client_id":"c1"}"#.to_owned(),
        r#"{"active":true,"client_id":"c1","client_id":"c2"}"#.to_owned(),
        r#"{"active":true,"client_id":"c1","cnf":{"jkt":"a","jkt":"b"}}"#.to_owned(),
        r#"{"active":true,"client_id":"c1""#.to_owned(),
        active(json!({ "client_id": 7 })).to_string(),
        active(json!({ "client_id": ["c1"] })).to_string(),
        active(json!({ "sub": 7 })).to_string(),
        active(json!({ "iss": {} })).to_string(),
        active(json!({ "jti": 7 })).to_string(),
        active(json!({ "sid": true })).to_string(),
        active(json!({ "iat": "1000" })).to_string(),
        active(json!({ "exp": -1 })).to_string(),
        active(json!({ "nbf": true })).to_string(),
        active(json!({ "cnf": "key" })).to_string(),
        active(json!({ "cnf": { "jkt": 7 } })).to_string(),
        active(json!({ "cnf": { "jkt": "c2hvcnQ" } })).to_string(),
        active(json!({ "cnf": { "x5t#S256": null } })).to_string(),
        // A binding that is not understood must not be ignored.
        active(json!({ "cnf": { "kid": "k1" } })).to_string(),
        active(json!({ "cnf": {} })).to_string(),
        // Active, but expired long ago: a contradiction.
        active(json!({ "exp": 1000 })).to_string(),
    ] {
        server.does(Does::Answer(respond(body.clone())));
        let error = ask(&upstream, "t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Malformed, "{body}");
    }
    server.says(&active(json!({})));
    assert!(ask(&upstream, "t").await.unwrap().is_some());
}

/// Members on which no check depends may have any form.
#[tokio::test]
async fn unused_member_never_causes_an_error() {
    let server = Server::json(json!({})).await;
    let odd = [
        json!(null),
        json!(7),
        json!(-1.5),
        json!(true),
        json!(""),
        json!([]),
        json!([7, null, ["a"]]),
        json!({ "a": { "b": [] } }),
    ];
    for name in [
        "scope",
        "token_type",
        "token_use",
        "typ",
        "aud",
        "username",
        "ext",
        "permissions",
        "realm_access",
        "act",
    ] {
        for value in &odd {
            server.says(&active(json!({ name: value, "sub": "alice" })));
            let token = ask(&server.uncached(), "t").await.unwrap().unwrap();
            assert_eq!(token.kind, TokenKind::AccessToken, "{name}: {value}");
            assert_eq!(token.sub.as_deref(), Some("alice"), "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn scope_may_be_an_array_of_words() {
    let server = Server::json(json!({})).await;
    for (scope, expected) in [
        (json!("read write"), Some("read write")),
        (json!(["read", "write"]), Some("read write")),
        (json!(["read"]), Some("read")),
        (json!(["read", 7, "write"]), Some("read write")),
        (json!([]), None),
        (json!(7), None),
    ] {
        server.says(&active(json!({ "scope": scope })));
        let token = ask(&server.uncached(), "t").await.unwrap().unwrap();
        let words = token.scope.as_ref().map(Scope::as_str);
        assert_eq!(words, expected, "{scope}");
    }
}

#[tokio::test]
async fn exp_beyond_the_calendar_is_limited_by_the_longest_lifetime() {
    let server = Server::json(json!({})).await;
    let iat = NumericDate::now();
    let hour = Duration::from_secs(3600);
    for exp in [
        json!(253_402_300_800_u64),
        json!(1_893_456_000_000_u64),
        json!(u64::MAX),
        json!(1e300),
    ] {
        server.says(&active(json!({ "exp": exp, "iat": iat.seconds() })));
        let token = ask(&server.uncached(), "t").await.unwrap().unwrap();
        assert_eq!(token.exp, None, "{exp}");
        let upstream = server
            .uncached_builder()
            .longest_lifetime(hour)
            .build()
            .unwrap();
        let token = ask(&upstream, "t").await.unwrap().unwrap();
        assert_eq!(token.exp, Some(iat + hour), "{exp}");
    }
    // An earlier `exp` stays as it is.
    let early = iat.seconds() + 60;
    server.says(&active(json!({ "exp": early, "iat": iat.seconds() })));
    let upstream = server
        .uncached_builder()
        .longest_lifetime(hour)
        .build()
        .unwrap();
    let token = ask(&upstream, "t").await.unwrap().unwrap();
    assert_eq!(token.exp, Some(NumericDate::new(early)));
}

#[tokio::test]
async fn active_token_for_another_audience_is_unhandled_if_an_audience_is_required() {
    let server = Server::json(json!({})).await;
    let ours = "https://api.example.com";
    let upstream = server
        .uncached_builder()
        .audience(Audience::any_of([ours]))
        .build()
        .unwrap();
    for (aud, is_ours) in [
        (json!(ours), true),
        (json!([ours]), true),
        (json!(["https://other.example.com", ours]), true),
        (json!("https://other.example.com"), false),
        (json!(["https://other.example.com"]), false),
        (json!("https://api.example.com/"), false),
        (json!([]), false),
        (json!(null), false),
    ] {
        server.says(&active(json!({ "aud": aud })));
        let introspected = introspect(&upstream, "t").await.unwrap();
        assert_eq!(introspected.token().is_some(), is_ours, "{aud}");
        let reason = (!is_ours).then_some(Reason::Audience);
        assert_eq!(introspected.reason(), reason, "{aud}");
        let unchecked = ask(&server.uncached(), "t").await.unwrap();
        assert!(unchecked.is_some(), "{aud}");
    }
    // If `aud` is malformed, the token is not accepted.
    for aud in [json!(7), json!([ours, 7]), json!({ "a": ours })] {
        server.says(&active(json!({ "aud": aud })));
        let error = introspect(&upstream, "t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Malformed, "{aud}");
    }
    server.says(&json!({ "active": true }));
    let introspected = introspect(&upstream, "t").await.unwrap();
    assert_eq!(introspected.reason(), Some(Reason::Audience));
}

#[tokio::test]
async fn exp_of_zero_means_never() {
    // Keycloak writes it for offline tokens. If they counted as expired, revoking them would
    // succeed although they stay live.
    let server = Server::json(active(json!({ "exp": 0 }))).await;
    let token = ask(&server.uncached(), "t").await.unwrap().unwrap();
    assert_eq!(token.exp, None);
}

#[tokio::test]
async fn any_other_status_is_an_error() {
    let server = Server::json(Value::Null).await;
    let upstream = server.uncached();
    for status in [
        201, 202, 204, 301, 302, 307, 308, 400, 401, 403, 404, 429, 500, 502, 503,
    ] {
        let mut response = with_status(status);
        let elsewhere = HeaderValue::from_str(&server.uri()).unwrap();
        response.headers_mut().insert("location", elsewhere);
        server.does(Does::Answer(response));
        let asked = server.asked();
        let error = ask(&upstream, "t").await.unwrap_err();
        let UpstreamErrorKind::Status(found) = error.kind() else {
            panic!("{status}: {error}");
        };
        assert_eq!(found.as_u16(), status);
        assert!(error.to_string().contains(&status.to_string()));
        assert_eq!(server.asked(), asked + 1, "{status}");
        // Anybody can cause a status that is about one request.
        let printed = error.source().and_then(|it| it.downcast_ref::<Error>());
        assert_eq!(printed.is_some_and(|it| !it.is_alarm()), status == 400);
    }
}

#[tokio::test]
async fn only_json_is_read() {
    let server = Server::json(Value::Null).await;
    let upstream = server.uncached();
    let body = active(json!({}));
    for media in [
        "application/json",
        "Application/JSON;charset=UTF-8",
        "application/json ; a=b",
    ] {
        server.does(Does::Answer(with_type(body.to_string(), Some(media))));
        assert!(ask(&upstream, "t").await.unwrap().is_some(), "{media}");
    }
    for media in [
        None,
        Some(""),
        Some("text/html"),
        Some("text/json"),
        Some("application/jsonp"),
        Some("application/jwt"),
        Some("application/token-introspection+jwt"),
        Some("text/html, application/json"),
    ] {
        server.does(Does::Answer(with_type(body.to_string(), media)));
        let error = ask(&upstream, "t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Malformed, "{media:?}");
    }
    let mut twice = respond(body.to_string());
    let json = HeaderValue::from_static("application/json");
    twice.headers_mut().append(CONTENT_TYPE, json);
    server.does(Does::Answer(twice));
    assert!(ask(&upstream, "t").await.is_err());

    let mut compressed = respond(body.to_string());
    let gzip = HeaderValue::from_static("gzip");
    compressed.headers_mut().insert(CONTENT_ENCODING, gzip);
    server.does(Does::Answer(compressed));
    let error = ask(&upstream, "t").await.unwrap_err();
    assert_eq!(error.kind(), UpstreamErrorKind::Malformed);
}

#[tokio::test]
async fn response_of_more_than_64_kib_is_an_error() {
    let server = Server::json(Value::Null).await;
    let upstream = server.uncached();
    let bare = active(json!({ "fill": "" })).to_string().len();
    for (length, fits) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
        let body = active(json!({ "fill": "a".repeat(length - bare) }));
        assert_eq!(body.to_string().len(), length);
        server.says(&body);
        match ask(&upstream, "t").await {
            Ok(token) => assert!(fits && token.is_some()),
            Err(error) => assert!(
                !fits && error.kind() == UpstreamErrorKind::TooLarge,
                "{error}"
            ),
        }
    }
}

#[tokio::test]
async fn error_shows_nothing_of_the_token_or_the_response() {
    let server = Server::json(Value::Null).await;
    let upstream = server
        .uncached_builder()
        .basic("gateway", &Secret::new("pa55word"))
        .build()
        .unwrap();
    let telltale = r#"{"active":true,"client_id":"telltale","sub":{"telltale":1}}"#;
    let mut chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\ntelltale\r\n".to_vec();
    chunk.extend_from_slice(b"telltale");
    for does in [
        Does::Answer(respond(telltale)),
        Does::Answer(respond("telltale")),
        Does::Answer(with_type(telltale, Some("text/telltale"))),
        Does::Write(b"telltale\r\n\r\n".to_vec()),
        Does::Write(chunk),
    ] {
        server.does(does);
        let error = ask(&upstream, "s3cr3t-t0ken").await.unwrap_err();
        let printed = format!("{} {upstream:?}", printed(&error));
        for hidden in ["telltale", "s3cr3t", "pa55word", "Z2F0ZXdheT", "127.0.0.1/"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
    }
    let future = tower::Service::call(&mut upstream.clone(), "s3cr3t-t0ken".into());
    assert_eq!(format!("{future:?}"), "UpstreamFuture { .. }");
}
