//! Responses that cannot be used.

use std::time::Duration;

use hyper::{
    StatusCode,
    header::{CONTENT_ENCODING, HeaderValue, LOCATION},
};
use tokio::time::timeout;
use tower_revocation::jose::{RemoteErrorKind, RemoteKeys};

use super::{
    server::{Does, HOST, Server, jwks, ok},
    told,
};

#[tokio::test]
async fn every_status_but_200_is_a_failure() {
    let server = Server::start(Does::HangUp).await;
    for status in [201, 203, 204, 206, 304, 400, 401, 404, 500, 503] {
        let mut response = ok(jwks(["k1"]));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        server.does(Does::Respond(response));
        let keys = server.keys();
        assert!(keys.keys(&server.uri(), None).await.is_err(), "{status}");
    }
    server.does(Does::Respond(ok(jwks(["k1"]))));
    assert!(server.keys().keys(&server.uri(), None).await.is_ok());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = Server::start(Does::Respond(ok(jwks(["k1"])))).await;
    let server = Server::start(Does::HangUp).await;
    for status in [301, 302, 303, 307, 308] {
        let mut response = ok(jwks(["k1"]));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let location = target.uri().parse().unwrap();
        response.headers_mut().insert(LOCATION, location);
        server.does(Does::Respond(response));
        let error = server.keys().keys(&server.uri(), None).await.unwrap_err();
        assert!(error.is_unusable(), "{status}");
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(error.kind(), RemoteErrorKind::Status(status));
    }
    assert_eq!((server.requests().len(), target.connections()), (5, 0));
}

#[tokio::test]
async fn stalling_source_fails_within_the_timeout() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".to_vec();
    let half = [&head[..], b"{\"keys\":["].concat();
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"key".to_vec();
    for does in [
        Does::StallBeforeTls,
        Does::WriteAndStall(Vec::new()),
        Does::WriteAndStall(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        Does::WriteAndStall(head),
        Does::WriteAndStall(half.clone()),
        Does::WriteAndStall(chunked),
        // It keeps sending and never ends, so a timeout of each read would not end it.
        Does::WriteAndDrip(half),
    ] {
        let server = Server::start(does).await;
        let keys = server.builder().timeout(Duration::from_millis(200)).build();
        let uri = server.uri();
        let response = timeout(Duration::from_secs(4), keys.keys(&uri, None)).await;
        let error = response.expect("within the timeout").unwrap_err();
        assert!(told(&error).contains("timed out"), "{error:?}");
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn stalling_resolver_fails_within_the_timeout() {
    struct Stalls;

    impl tower_revocation::outbound::Resolve for Stalls {
        fn resolve(
            &self,
            _: &str,
        ) -> futures::future::BoxFuture<'static, std::io::Result<Vec<std::net::IpAddr>>> {
            Box::pin(std::future::pending())
        }
    }

    let keys = RemoteKeys::builder()
        .resolver(Stalls)
        .timeout(Duration::from_millis(100))
        .build();
    let uri = format!("https://{HOST}/");
    let response = timeout(Duration::from_secs(4), keys.keys(&uri, None)).await;
    response.expect("within the timeout").unwrap_err();
}

#[tokio::test]
async fn body_size_is_limited() {
    let set = jwks(["k1"]);
    let padded = |size: usize| set.clone() + &" ".repeat(size - set.len());
    let chunked = |body: &str| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes()
    };
    let until_closed = |body: &str| format!("HTTP/1.1 200 OK\r\n\r\n{body}").into_bytes();
    let server = Server::start(Does::HangUp).await;

    for (size, fits) in [(4096, true), (4097, false), (10 * 1024 * 1024, false)] {
        let body = padded(size);
        for does in [
            Does::Write(chunked(&body)),
            Does::Write(until_closed(&body)),
            Does::Respond(ok(body)),
        ] {
            server.does(does);
            let keys = server.builder().max_size(4096).build();
            let response = keys.keys(&server.uri(), None).await;
            assert_eq!(response.is_ok(), fits, "{size} {response:?}");
        }
    }
    // The default is 1 MiB.
    server.does(Does::Respond(ok(padded(1024 * 1024))));
    assert!(server.keys().keys(&server.uri(), None).await.is_ok());
    server.does(Does::Respond(ok(padded(1024 * 1024 + 1))));
    let error = server.keys().keys(&server.uri(), None).await.unwrap_err();
    assert!(error.is_unusable());
}

#[tokio::test]
async fn set_of_ten_thousand_keys_is_a_failure() {
    let many = |count: usize| {
        let kids: Vec<_> = (0..count).map(|kid| kid.to_string()).collect();
        jwks(kids.iter().map(String::as_str))
    };
    let server = Server::start(Does::Respond(ok(many(100)))).await;
    let keys = server.builder().max_size(10 * 1024 * 1024).build();
    assert_eq!(keys.keys(&server.uri(), None).await.unwrap().len(), 100);

    let small = format!("{{\"keys\":[{}{{}}]}}", "{},".repeat(9_999));
    for body in [many(101), many(10_000), small] {
        server.does(Does::Respond(ok(body)));
        let keys = server.builder().max_size(10 * 1024 * 1024).build();
        keys.keys(&server.uri(), None).await.unwrap_err();
    }
}

#[tokio::test]
async fn wrong_content_length_is_a_failure() {
    let set = jwks(["k1"]);
    let response = |length: &str| {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{set}").into_bytes()
    };
    let less = (set.len() - 1).to_string();
    let more = (set.len() + 1).to_string();
    let twice = format!("{}\r\ncontent-length: 7", set.len());
    let server = Server::start(Does::Write(response(&set.len().to_string()))).await;
    assert!(server.keys().keys(&server.uri(), None).await.is_ok());
    for length in [
        &less,
        &more,
        &twice,
        "-1",
        "0",
        "18446744073709551615",
        "99999999999999999999999",
    ] {
        server.does(Does::Write(response(length)));
        let keys = server.keys();
        assert!(keys.keys(&server.uri(), None).await.is_err(), "{length}");
    }
}

#[tokio::test]
async fn compressed_response_is_a_failure() {
    let server = Server::start(Does::HangUp).await;
    for (coding, taken) in [("identity", true), ("gzip", false), ("identity, br", false)] {
        let mut response = ok(jwks(["k1"]));
        let coding = HeaderValue::from_static(coding);
        response
            .headers_mut()
            .insert(CONTENT_ENCODING, coding.clone());
        server.does(Does::Respond(response));
        let response = server.keys().keys(&server.uri(), None).await;
        assert_eq!(response.is_ok(), taken, "{coding:?}");
    }
}

#[tokio::test]
async fn endless_response_head_is_a_failure() {
    let head = "HTTP/1.1 200 OK\r\n".to_owned() + &"x: y\r\n".repeat(1_000_000);
    let server = Server::start(Does::Write(head.into_bytes())).await;
    server.keys().keys(&server.uri(), None).await.unwrap_err();
}
