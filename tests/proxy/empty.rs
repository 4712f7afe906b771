//! `GET` requests whose length is not known before their end.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, channel::mpsc, stream::BoxStream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{Request, Response, body::Frame, body::Incoming};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tower_revocation::proxy::{ReverseProxy, Upstream, server::Server};

use crate::fixture::{Gateway, Recorder, echo, serve, soon};

type Parts = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

fn client() -> Client<HttpConnector, Parts> {
    Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http()
}

/// A `GET` over HTTP/2 whose body comes from a channel.
fn get(gateway: &Gateway) -> (mpsc::UnboundedSender<Bytes>, Request<Parts>) {
    let (sender, receiver) = mpsc::unbounded();
    let frames = receiver.map(|part| Ok(Frame::data(part))).boxed();
    let request = Request::get(gateway.url("/a")).header("authorization", "Bearer alice");
    (sender, request.body(StreamBody::new(frames)).unwrap())
}

async fn text(response: Response<Incoming>) -> String {
    let body = soon(response.into_body().collect()).await.unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn get_whose_end_is_a_frame_of_its_own_passes_without_a_body() {
    let api = serve(echo).await;
    for scheme in ["http", "h2c"] {
        let gateway = Gateway::to(&format!("{scheme}://{api}")).await;
        for parts in [0, 1] {
            let (body, request) = get(&gateway);
            for _ in 0..parts {
                body.unbounded_send(Bytes::new()).unwrap();
            }
            drop(body);
            let response = soon(client().request(request)).await.unwrap();
            assert_eq!(response.status(), 200, "{scheme}");
            let text = text(response).await;
            assert!(text.ends_with("\n0"), "{text}");
            assert!(!text.contains("transfer-encoding"), "{text}");
        }
    }
}

#[tokio::test]
async fn get_with_a_body_of_unknown_length_does_not_reach_an_http1_api() {
    let recorder = Recorder::start().await;
    let gateway = Gateway::to(&format!("http://{}", recorder.address)).await;
    let (body, request) = get(&gateway);
    body.unbounded_send(Bytes::new()).unwrap();
    body.unbounded_send("x".into()).unwrap();
    let response = soon(client().request(request)).await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(recorder.received(), "");
}

#[tokio::test]
async fn get_without_an_end_is_408_and_ends_with_its_token() {
    let recorder = Recorder::start().await;
    let upstream = Upstream::new(&format!("http://{}", recorder.address)).unwrap();
    let proxy = ReverseProxy::new(upstream.clone()).unwrap();
    let proxy = proxy.upload_idle_timeout(Duration::from_millis(100));
    let gateway = Gateway::around(proxy, Server::new()).await;
    let (_body, request) = get(&gateway);
    let response = soon(client().request(request)).await.unwrap();
    assert_eq!(response.status(), 408);

    let gateway = Gateway::with(upstream, Server::new()).await;
    let (_body, request) = get(&gateway);
    let response = tokio::spawn(client().request(request));
    while gateway.tokens.index.watched() == 0 {
        tokio::task::yield_now().await;
    }
    gateway.tokens.revoke("alice").await;
    let response = soon(response).await.unwrap().unwrap();
    assert_eq!(response.status(), 401);
    assert!(response.headers().contains_key("www-authenticate"));
    assert_eq!(recorder.received(), "");
}
