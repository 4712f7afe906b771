//! Uploads end with their token.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, channel::mpsc, stream::BoxStream};
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::{
    Request, Response,
    body::{Frame, Incoming},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{net::TcpListener, time::timeout};
use tower::service_fn;
use tower_revocation::proxy::server::Server;

use crate::fixture::{Gateway, soon};

type Upload = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

/// What an API has read.
#[derive(Debug, PartialEq)]
enum Read {
    Part(Bytes),
    End,
    Aborted,
}

/// An API that reads whole bodies before it responds, and what it reads.
async fn reader() -> (String, mpsc::UnboundedReceiver<Read>) {
    let (sender, receiver) = mpsc::unbounded();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let service = service_fn(move |request: Request<Incoming>| {
        let sender = sender.clone();
        async move {
            let tell = |read| sender.unbounded_send(read).unwrap();
            let mut body = request.into_body();
            loop {
                let read = match body.frame().await {
                    // HTTP/2 may end with an empty part.
                    Some(Ok(frame)) if frame.data_ref().is_some_and(Bytes::is_empty) => continue,
                    Some(Ok(frame)) => Read::Part(frame.into_data().unwrap()),
                    Some(Err(_)) => Read::Aborted,
                    None => Read::End,
                };
                let is_last = !matches!(read, Read::Part(_));
                tell(read);
                if is_last {
                    break;
                }
            }
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    tokio::spawn(Server::new().serve(listener, service, std::future::pending()));
    (authority, receiver)
}

fn client(http2_only: bool) -> Client<HttpConnector, Upload> {
    Client::builder(TokioExecutor::new())
        .http2_only(http2_only)
        .build_http()
}

/// A request whose body comes from a channel.
fn upload(gateway: &Gateway, token: &str) -> (mpsc::UnboundedSender<Bytes>, Request<Upload>) {
    let (sender, receiver) = mpsc::unbounded();
    let frames = receiver.map(|part| Ok(Frame::data(part))).boxed();
    let request =
        Request::post(gateway.url("/up")).header("authorization", format!("Bearer {token}"));
    (sender, request.body(StreamBody::new(frames)).unwrap())
}

#[tokio::test]
async fn upload_ends_within_a_second_after_a_revocation() {
    for scheme in ["http", "h2c"] {
        for http2_only in [false, true] {
            let (api, mut read) = reader().await;
            let gateway = Gateway::to(&format!("{scheme}://{api}")).await;
            let (alice, request) = upload(&gateway, "alice");
            let response = tokio::spawn(client(http2_only).request(request));
            alice.unbounded_send("some".into()).unwrap();
            assert_eq!(soon(read.next()).await, Some(Read::Part("some".into())));

            gateway.tokens.revoke("alice").await;
            let aborted = timeout(Duration::from_secs(1), read.next()).await;
            assert_eq!(
                aborted.expect("it is cut within a second"),
                Some(Read::Aborted)
            );
            let response = soon(response).await.unwrap();
            // A client that still sends may see the closed connection first.
            if let Ok(response) = response {
                assert_eq!(response.status(), 401);
                let challenge = &response.headers()["www-authenticate"];
                assert_eq!(challenge, "Bearer error=\"invalid_token\"");
            }
            drop(alice);

            // The upload of another token is not cut.
            let (bob, request) = upload(&gateway, "bob");
            let response = tokio::spawn(client(http2_only).request(request));
            bob.unbounded_send("other".into()).unwrap();
            assert_eq!(soon(read.next()).await, Some(Read::Part("other".into())));
            drop(bob);
            assert_eq!(soon(read.next()).await, Some(Read::End));
            assert_eq!(soon(response).await.unwrap().unwrap().status(), 200);
        }
    }
}
