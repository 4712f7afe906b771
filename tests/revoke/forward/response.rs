//! What does a response of the other server mean for the client?

use super::*;
use crate::recorder::{Recorder, Value};

#[tokio::test]
async fn error_about_the_request_is_passed_on_and_nothing_is_recorded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    for (status, body, expected) in [
        (
            400,
            r#"{"error":"invalid_request"}"#,
            (400, "invalid_request"),
        ),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"x"}"#,
            (400, "invalid_grant"),
        ),
        (400, r#"{"error":"invalid_token"}"#, (400, "invalid_grant")),
        (
            400,
            r#"{"error":"unsupported_token_type"}"#,
            (400, "unsupported_token_type"),
        ),
        (
            400,
            r#"{"error":"unauthorized_client"}"#,
            (400, "unauthorized_client"),
        ),
        (403, r#"{"error":"access_denied"}"#, (400, "access_denied")),
        (
            400,
            r#"{"error":"invalid_client"}"#,
            (401, "invalid_client"),
        ),
        (
            401,
            r#"{"error":"invalid_client"}"#,
            (401, "invalid_client"),
        ),
        (401, "<html>", (401, "invalid_client")),
        (
            403,
            r#"{"error":"invalid_client"}"#,
            (401, "invalid_client"),
        ),
        (400, "", (400, "invalid_request")),
        (400, r#"{"error":"unknown_code"}"#, (400, "invalid_request")),
        (400, r#"{"error":1}"#, (400, "invalid_request")),
    ] {
        let mut response = json(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        server.does(Does::Respond(response));
        for response in [
            send(&backend, form(C1)).await,
            send_verified(&backend, form(C1)).await,
        ] {
            let received = (response.status.as_u16(), &*response.error);
            assert_eq!(received, expected, "{status} {body}");
        }
    }
    assert_eq!(recorded(&log).await, []);
}

#[tokio::test]
async fn error_about_the_other_server_is_503_and_nothing_is_recorded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    let mut busy = with_status(429);
    busy.headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("17"));
    let mut moved = with_status(307);
    moved
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_static("/elsewhere"));
    for (does, retry_after) in [
        (Does::Respond(busy), "17"),
        (Does::Respond(with_status(500)), "1"),
        (Does::Respond(with_status(502)), "1"),
        (Does::Respond(with_status(503)), "1"),
        (Does::Respond(moved), "1"),
        (Does::Respond(with_status(404)), "1"),
        (Does::Respond(with_status(405)), "1"),
        // The server may revoke the token later, or never.
        (Does::Respond(with_status(202)), "1"),
        (Does::Write(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), "1"),
        (Does::Write(Vec::new()), "1"),
    ] {
        server.does(does);
        for response in [
            send(&backend, form(C1)).await,
            send_verified(&backend, form(C1)).await,
        ] {
            assert_eq!(response.status, 503);
            assert_eq!(response.error, "temporarily_unavailable");
            assert_eq!(response.retry_after.unwrap(), retry_after);
        }
    }
    let impatient = backend.clone().timeout(Duration::from_millis(50));
    let half = b"HTTP/1.1 200 OK\r\ncontent-le".to_vec();
    for does in [Does::Stall, Does::WriteAndStall(half)] {
        server.does(does);
        assert_eq!(send(&impatient, form(C1)).await.status, 503);
    }
    server.stop().await;
    assert_eq!(send(&backend, form(C1)).await.status, 503);
    assert_eq!(recorded(&log).await, []);
}

#[tokio::test]
async fn success_status_with_an_error_in_the_body_is_an_error() {
    let server = success().await;
    let (backend, log) = forward(&server);
    for (body, expected) in [
        (
            r#"{"error":"unsupported_token_type"}"#,
            (400, "unsupported_token_type"),
        ),
        (r#"{"error":"invalid_client"}"#, (401, "invalid_client")),
        (
            r#"{"error":"server_error"}"#,
            (503, "temporarily_unavailable"),
        ),
    ] {
        server.does(Does::Respond(json(body)));
        let response = send(&backend, form(C1)).await;
        assert_eq!((response.status.as_u16(), &*response.error), expected);
    }
    assert_eq!(recorded(&log).await, []);
    for body in ["{}", r#"{"revoked":true}"#, "ok", ""] {
        server.does(Does::Respond(json(body)));
        assert_eq!(send(&backend, form(C1)).await.status, 200, "{body}");
    }
}

#[test]
fn results_of_forwarding_are_counted() {
    let recorder = Recorder::new();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let server = success().await;
            let (backend, log) = forward(&server);
            let response = send(&backend, form("client_id=c1&token=opaque")).await;
            assert_eq!(response.status, 200);
            assert_eq!(recorded(&log).await, []);
            assert_eq!(send(&backend, form(C1)).await.status, 200);
            assert_eq!(send_verified(&backend, form(C1)).await.status, 200);
            server.does(Does::Respond(with_status(500)));
            assert_eq!(send(&backend, form(C1)).await.status, 503);
            server.does(Does::Respond(with_status(400)));
            assert_eq!(send(&backend, form(C1)).await.status, 400);
        });
    });
    let mut counts: Vec<(String, u64)> = Vec::new();
    for (key, value) in recorder.take() {
        if key.name() == "tower_revocation_forwarded_total" {
            let Value::Counter(count) = value else {
                panic!("not a counter")
            };
            let labels: Vec<_> = key.labels().map(|label| label.value().to_owned()).collect();
            counts.push((labels.join(","), count));
        }
    }
    counts.sort();
    let expected = ["failed", "recorded", "refused", "token_only", "unlinked"];
    assert_eq!(counts, expected.map(|result| (result.to_owned(), 1)));
}
