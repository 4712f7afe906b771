//! The responses to gRPC requests: trailers only, in the headers.

use std::convert::Infallible;

use http_body_util::{BodyExt as _, StreamBody};
use hyper::{
    Response, StatusCode,
    body::{Body as _, Bytes, Frame},
    header,
};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    enforce::End,
    log::{RevocationLog as _, Selector},
};

use crate::fixture::{TOKEN, ask, forever, good, guarded, request, with_token};

fn grpc(
    authorization: Option<&str>,
    media_type: &str,
) -> hyper::Request<http_body_util::Full<bytes::Bytes>> {
    let mut request = request(authorization);
    let media_type = media_type.parse().unwrap();
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    request
}

#[tokio::test]
async fn revoked_is_unauthenticated_and_unknown_is_unavailable() {
    let (layer, log) = guarded(good()).await;
    log.append(forever(Selector::grant("g1"))).await.unwrap();
    let bearer = format!("Bearer {TOKEN}");
    for (authorization, status, pushback) in [
        (None, "16", None),
        (Some(bearer.as_str()), "16", None),
        (Some("Bearer unknown"), "16", None),
        (Some("Bearer broken"), "14", Some("1000")),
    ] {
        for media_type in [
            "application/grpc",
            "application/grpc+proto",
            "Application/gRPC; x=y",
        ] {
            let response = ask(&layer, grpc(authorization, media_type)).await;
            assert_eq!(response.status(), StatusCode::OK);
            let headers = response.headers();
            assert_eq!(headers[header::CONTENT_TYPE], "application/grpc");
            assert_eq!(headers["grpc-status"], status);
            assert!(!headers["grpc-message"].is_empty());
            let found = headers.get("grpc-retry-pushback-ms");
            assert_eq!(found.map(|found| found.to_str().unwrap()), pushback);
            assert!(response.body().is_end_stream());
        }
    }
}

#[tokio::test]
async fn other_media_types_get_http_responses() {
    let (layer, _) = guarded(good()).await;
    for media_type in [
        "application/grpc-web",
        "application/grpc-web+proto",
        "application/json",
        "application/grpcx",
    ] {
        let response = ask(&layer, grpc(None, media_type)).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{media_type}");
    }
    assert_eq!(ask(&layer, with_token()).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn response_that_is_not_grpc_is_cut_as_http_also_for_a_grpc_request() {
    let (layer, log) = guarded(good()).await;
    let api = layer.layer(service_fn(async |_| {
        // One frame, and then nothing.
        let first = futures::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from("half")))]);
        let body = futures::StreamExt::chain(first, futures::stream::pending());
        let mut response = Response::new(StreamBody::new(body));
        let media_type = "application/octet-stream".parse().unwrap();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type);
        Ok::<_, BoxError>(response)
    }));
    let bearer = format!("Bearer {TOKEN}");
    let request = grpc(Some(&bearer), "application/grpc");
    let mut body = api.oneshot(request).await.unwrap().into_body();
    assert!(body.frame().await.unwrap().unwrap().is_data());

    log.append(forever(Selector::grant("g1"))).await.unwrap();

    // Trailers would end the body, and the peer would take half of the response for all of it.
    let cut = body.frame().await.unwrap().unwrap_err();
    assert!(BoxError::from(cut).is::<End>());
}

#[tokio::test]
async fn layer_that_responds_in_http_never_responds_in_grpc() {
    let (layer, log) = guarded(good()).await;
    let layer = layer.respond_in_http(true);
    log.append(forever(Selector::grant("g1"))).await.unwrap();
    let bearer = format!("Bearer {TOKEN}");
    for (authorization, status) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some(bearer.as_str()), StatusCode::UNAUTHORIZED),
        (Some("Bearer unknown"), StatusCode::UNAUTHORIZED),
        (Some("Bearer a b"), StatusCode::BAD_REQUEST),
        (Some("Bearer broken"), StatusCode::SERVICE_UNAVAILABLE),
    ] {
        for media_type in ["application/grpc", "application/grpc+proto"] {
            let response = ask(&layer, grpc(authorization, media_type)).await;
            assert_eq!(response.status(), status, "{authorization:?}");
            assert!(!response.headers().contains_key("grpc-status"));
            assert!(!response.headers().contains_key(header::CONTENT_TYPE));
        }
    }
}

#[tokio::test]
async fn layer_that_responds_in_http_cuts_grpc_without_trailers() {
    let (layer, log) = guarded(good()).await;
    let api = layer.respond_in_http(true).layer(service_fn(async |_| {
        let silence = futures::stream::pending::<Result<Frame<Bytes>, Infallible>>();
        let mut response = Response::new(StreamBody::new(silence));
        let media_type = "application/grpc".parse().unwrap();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type);
        Ok::<_, BoxError>(response)
    }));
    let bearer = format!("Bearer {TOKEN}");
    let request = grpc(Some(&bearer), "application/grpc");
    let mut body = api.oneshot(request).await.unwrap().into_body();
    log.append(forever(Selector::grant("g1"))).await.unwrap();
    let cut = body.frame().await.unwrap().unwrap_err();
    assert!(BoxError::from(cut).is::<End>());
}
