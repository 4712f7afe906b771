//! Which calls can be read, and what happens to the others.

use super::*;

#[tokio::test]
async fn calls_that_cannot_be_read_are_denied() {
    let authority = Authority::new().await;
    let live = authority.live();
    let fields = [("authorization", &*live)];
    let good = mapped("/a", &fields);
    let with = |name: &str, value: &str| mapped("/a", &[("authorization", &live), (name, value)]);
    let many: Vec<_> = (0..40_000).map(|at| format!("x-{at}")).collect();
    let many: Vec<_> = many.iter().map(|name| (&**name, "")).collect();
    let compressed = [&[1][..], &framed(&good)[1..]].concat();
    for (what, body) in [
        ("nothing", Vec::new()),
        ("no message", framed(&[])),
        ("half a frame", framed(&good)[..20].to_vec()),
        ("two frames", framed(&good).repeat(2)),
        ("compressed", compressed),
        ("no protobuf", framed(b"\xff\xff\xff")),
        ("half a message", framed(&good[..good.len() - 1])),
        ("a connection", framed(&bytes(1, bytes(1, "")))),
        ("no HTTP", framed(&bytes(1, bytes(4, "")))),
        ("a name with a space", framed(&with("x own", "1"))),
        ("an empty name", framed(&with("", "1"))),
        (
            "a line break",
            framed(&with("x-own", "1\r\nauthorization: a")),
        ),
        ("a zero", framed(&with("x-own", "\0"))),
        ("too many fields", framed(&mapped("/a", &many))),
        ("too long", framed(&with("x-own", &"1".repeat(256 << 10)))),
    ] {
        assert_eq!(ask(&authority, body).await, unknown(), "{what}");
    }
    assert!(matches!(ask(&authority, framed(&good)).await, Said::Ok(..)));
    // Not UTF-8, which HTTP allows.
    let entry = [bytes(1, "x-own"), bytes(2, b"\xe9")].concat();
    let authorization = [bytes(1, "authorization"), bytes(2, &live)].concat();
    let message = check(
        "/\u{e9}",
        &[bytes(3, entry), bytes(3, authorization)].concat(),
    );
    assert!(matches!(
        ask(&authority, framed(&message)).await,
        Said::Ok(..)
    ));
}

#[tokio::test]
async fn length_of_a_message_is_limited() {
    let authority = Authority::new().await;
    let live = authority.live();
    let fields = [("authorization", &*live), ("x-own", &"1".repeat(300 << 10))];
    let body = framed(&mapped("/a", &fields));
    for (max, permits) in [(body.len(), true), (body.len() - 1, false)] {
        let service = service(&authority).max_message(max);
        let response = service.oneshot(request(body.clone())).await.unwrap();
        let said = message(response).await;
        assert_eq!(matches!(said, Said::Ok(..)), permits);
    }
}

#[tokio::test(start_paused = true)]
async fn call_that_does_not_end_is_denied() {
    let authority = Authority::new().await;
    let pending = http_body_util::StreamBody::new(futures::stream::pending::<
        Result<hyper::body::Frame<Bytes>, BoxError>,
    >());
    let (head, _) = request(Vec::new()).into_parts();
    let response = service(&authority)
        .oneshot(Request::from_parts(head, pending))
        .await;
    assert_eq!(message(response.unwrap()).await, unknown());
}

#[tokio::test]
async fn other_requests_are_questions_in_http() {
    let authority = Authority::new().await;
    let question = |path: &str| {
        let question = Request::get(path).header("authorization", authority.live());
        question.body(Empty::<Bytes>::new()).unwrap()
    };
    let response = service(&authority)
        .oneshot(question("/verify/a"))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-token-subject"], "alice");
    let response = service(&authority)
        .oneshot(question("/envoy"))
        .await
        .unwrap();
    assert_eq!(response.status(), 404);
    // The path of the call, and no call.
    for media_type in [
        "application/json",
        "application/grpc-web",
        "application/grpc+json",
        "",
    ] {
        let request = Request::post(CHECK).header("content-type", media_type);
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let response = service(&authority).oneshot(request).await.unwrap();
        assert_eq!(response.status(), 415, "{media_type}");
    }
}

/// A call of Envoy 1.40, as it was captured.
#[tokio::test]
async fn captured_calls_of_envoy_are_read() {
    let authority = Authority::new().await;
    for file in ["check.hex", "check-raw.hex"] {
        let path = format!(
            "{}/tests/verify/captured/{file}",
            env!("CARGO_MANIFEST_DIR")
        );
        let hex = std::fs::read_to_string(path).unwrap();
        let digits: String = hex.split_whitespace().collect();
        let pairs = (0..digits.len()).step_by(2);
        let body = pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap());
        let said = ask(&authority, body.collect()).await;
        let Said::Denied(401, fields) = said else {
            panic!("{file}: {said:?}");
        };
        assert!(
            fields
                .iter()
                .any(|(_, value)| value.contains("invalid_token")),
            "{file}"
        );
        let route = authority.last_route();
        assert_eq!(
            (route.method.as_str(), &*route.uri.to_string()),
            ("PUT", "/a/b?c=d"),
            "{file}"
        );
        assert_eq!(route.headers["authorization"], "Bearer abc", "{file}");
        assert_eq!(
            route.headers["x-own"],
            if file == "check.hex" { "1,2" } else { "1" }
        );
        assert!(!route.headers.contains_key("content-type"), "{file}");
    }
}
