//! The order of the checks: with two faults, the first one decides the response.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, header};

use super::fixture::{C1, FullResponse, WRONG, World};

/// The faults of a request, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    Method,
    ContentType,
    ContentCoding,
    ContentLength,
    Query,
    AuthorizationTwice,
    Form,
    TwoMethods,
    Client,
    TokenMissing,
}

const ALL: [Wrong; 10] = [
    Wrong::Method,
    Wrong::ContentType,
    Wrong::ContentCoding,
    Wrong::ContentLength,
    Wrong::Query,
    Wrong::AuthorizationTwice,
    Wrong::Form,
    Wrong::TwoMethods,
    Wrong::Client,
    Wrong::TokenMissing,
];

fn request(wrong: &[Wrong]) -> Request<Full<Bytes>> {
    let is = |one| wrong.contains(&one);
    let mut body = String::from(if is(Wrong::TokenMissing) {
        "x=y"
    } else {
        "token=RT1"
    });
    if is(Wrong::Form) {
        body.push_str("&x=%zz");
    }
    if is(Wrong::TwoMethods) {
        body.push_str("&client_id=s6BhdRkqt3&client_secret=gX1fBat3bV");
    }
    if is(Wrong::ContentLength) {
        body.push_str("&x=");
        body.push_str(&"a".repeat(70_000));
    }
    let uri = if is(Wrong::Query) {
        "/revoke?token=RT1"
    } else {
        "/revoke"
    };
    let method = if is(Wrong::Method) {
        Method::PUT
    } else {
        Method::POST
    };
    let form = "application/x-www-form-urlencoded";
    let content_type = if is(Wrong::ContentType) {
        "application/json"
    } else {
        form
    };
    let authorization = if is(Wrong::Client) { WRONG } else { C1 };
    let mut head = Request::builder()
        .method(method)
        .uri(uri)
        .header(header::CONTENT_TYPE, content_type)
        .header(header::AUTHORIZATION, authorization);
    if is(Wrong::AuthorizationTwice) {
        head = head.header(header::AUTHORIZATION, authorization);
    }
    if is(Wrong::ContentCoding) {
        head = head.header(header::CONTENT_ENCODING, "gzip");
    }
    head.body(Full::from(body)).unwrap()
}

async fn response(wrong: &[Wrong]) -> FullResponse {
    World::new().send(request(wrong)).await
}

#[tokio::test]
async fn first_fault_decides_the_response() {
    for first in ALL {
        let alone = response(&[first]).await;
        assert!(alone.status.is_client_error(), "{first:?} {alone:?}");
        for second in ALL.into_iter().filter(|&second| second > first) {
            assert_eq!(
                response(&[first, second]).await,
                alone,
                "{first:?} before {second:?}"
            );
        }
    }
}

#[tokio::test]
async fn every_fault_has_its_status() {
    let expected = [405, 415, 415, 413, 400, 400, 400, 400, 401, 400];
    for (wrong, status) in ALL.into_iter().zip(expected) {
        assert_eq!(response(&[wrong]).await.status, status, "{wrong:?}");
    }
    response(&[]).await.assert_ok();
}

#[tokio::test]
async fn no_service_is_called_before_its_turn() {
    for wrong in ALL {
        let world = World::new();
        world.send(request(&[wrong])).await;
        let asked = world.authentications.lock().unwrap().len();
        assert_eq!(asked, usize::from(wrong >= Wrong::Client), "{wrong:?}");
        assert_eq!(world.looked_up(), 0, "{wrong:?}");
        assert!(world.is_live("RT1"));
    }
}
