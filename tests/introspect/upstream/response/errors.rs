//! Responses that are errors.

use super::*;

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
        server.does(Does::Respond(respond(body.clone())));
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
async fn any_other_status_is_an_error() {
    let server = Server::json(Value::Null).await;
    let upstream = server.uncached();
    for status in [
        201, 202, 204, 301, 302, 307, 308, 400, 401, 403, 404, 429, 500, 502, 503,
    ] {
        let mut response = with_status(status);
        let elsewhere = HeaderValue::from_str(&server.uri()).unwrap();
        response.headers_mut().insert("location", elsewhere);
        server.does(Does::Respond(response));
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
        server.does(Does::Respond(with_type(body.to_string(), Some(media))));
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
        server.does(Does::Respond(with_type(body.to_string(), media)));
        let error = ask(&upstream, "t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Malformed, "{media:?}");
    }
    let mut twice = respond(body.to_string());
    let json = HeaderValue::from_static("application/json");
    twice.headers_mut().append(CONTENT_TYPE, json);
    server.does(Does::Respond(twice));
    assert!(ask(&upstream, "t").await.is_err());

    let mut compressed = respond(body.to_string());
    let gzip = HeaderValue::from_static("gzip");
    compressed.headers_mut().insert(CONTENT_ENCODING, gzip);
    server.does(Does::Respond(compressed));
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
        Does::Respond(respond(telltale)),
        Does::Respond(respond("telltale")),
        Does::Respond(with_type(telltale, Some("text/telltale"))),
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
