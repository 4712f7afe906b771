//! HTTP/2.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures::StreamExt as _;
use http_body_util::{Full, StreamBody};
use hyper::{
    Request, Response, StatusCode, Version,
    body::{Body, Frame, Incoming},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::{BASIC, FORM, LONG, Revocations, SHORT, app, serve};

/// Sends one request on a new HTTP/2 connection.
async fn over_http_2<B>(
    request: Request<B>,
    body_timeout: Duration,
) -> (hyper::Result<Response<Incoming>>, Revocations)
where
    B: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
{
    let revocations = Revocations::default();
    let address = serve(app(&revocations, body_timeout)).await;
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
    tokio::spawn(connection);
    let response = tokio::time::timeout(Duration::from_secs(60), sender.send_request(request));
    (response.await.unwrap(), revocations)
}

fn post_2<B>(body: B) -> hyper::http::Result<Request<B>> {
    Request::post("http://as.example.com/revoke")
        .version(Version::HTTP_2)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}

/// A body of unknown length, which may never end.
fn unsized_body(
    beginning: &'static str,
    ends: bool,
) -> impl Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static {
    let beginning = futures::stream::iter([Ok(Frame::data(Bytes::from(beginning)))]);
    StreamBody::new(if ends {
        beginning.chain(futures::stream::empty()).left_stream()
    } else {
        beginning.chain(futures::stream::pending()).right_stream()
    })
}

/// RFC 9113 §8.2.2.
fn assert_not_connection_specific(response: &Response<Incoming>) {
    for field in ["connection", "keep-alive", "transfer-encoding", "upgrade"] {
        assert!(!response.headers().contains_key(field), "{response:?}");
    }
}

#[tokio::test]
async fn http_2_revokes_without_a_length() {
    let (response, revocations) =
        over_http_2(post_2(unsized_body(FORM, true)).unwrap(), LONG).await;
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.version(), Version::HTTP_2);
    assert_eq!(response.headers()["content-length"], "0");
    assert_not_connection_specific(&response);
    assert!(response.into_body().is_end_stream());
    assert_eq!(revocations.count(), 1);
}

#[tokio::test]
async fn http_2_gets_408_and_413_without_connection_fields() {
    let stalled = post_2(unsized_body("token=45gh", false)).unwrap();
    let (response, revocations) = over_http_2(stalled, SHORT).await;
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert_not_connection_specific(&response);
    assert_eq!(revocations.count(), 0);

    let large = post_2(Full::<Bytes>::from("x".repeat(65_537))).unwrap();
    let (response, revocations) = over_http_2(large, LONG).await;
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_not_connection_specific(&response);
    assert_eq!(revocations.count(), 0);
}

/// Such a request is malformed (RFC 9113 §8.1.1).
#[tokio::test]
async fn http_2_with_a_wrong_length_revokes_nothing() {
    for length in [5, FORM.len() - 1, FORM.len() + 1] {
        let mut request = post_2(unsized_body(FORM, true)).unwrap();
        request
            .headers_mut()
            .insert("content-length", length.into());
        let (response, revocations) = over_http_2(request, LONG).await;
        if let Ok(response) = response {
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{length}");
        }
        assert_eq!(revocations.count(), 0, "{length}");
    }
}

/// As in HTTP/1 (RFC 9110 §6.5.1).
#[tokio::test]
async fn http_2_credentials_in_trailers_are_ignored() {
    let mut trailers = hyper::HeaderMap::new();
    let basic = BASIC.trim_end().trim_start_matches("Authorization: ");
    trailers.insert("authorization", basic.parse().unwrap());
    let frames = [
        Ok(Frame::data(Bytes::from("token=45ghiukldjahdnhzdauz"))),
        Ok(Frame::trailers(trailers)),
    ];
    let body = StreamBody::new(futures::stream::iter(frames));
    let (response, revocations) = over_http_2(post_2(body).unwrap(), LONG).await;
    assert_eq!(response.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(revocations.count(), 0);
}
