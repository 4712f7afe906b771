//! Uploads end with their token.

use std::{convert::Infallible, future::pending, sync::Mutex, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, channel::mpsc, stream::BoxStream};
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::{
    Request, Response,
    body::{Frame, Incoming},
    server::conn::http2,
    service,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpListener,
    time::{sleep, timeout},
};
use tower::service_fn;
use tower_revocation::proxy::{ReverseProxy, Upstream, server::Server};

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
    tokio::spawn(Server::new().serve(listener, service, pending()));
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

#[tokio::test]
async fn cut_upload_is_refused_as_a_request_with_that_token_is() {
    for http2_only in [false, true] {
        for (scheme, content_type) in [
            ("Bearer", "text/plain"),
            ("DPoP", "text/plain"),
            ("Bearer", "application/grpc+proto"),
        ] {
            let (api, mut read) = reader().await;
            let gateway = Gateway::to(&format!("h2c://{api}")).await;
            let request = || {
                let (alice, mut request) = upload(&gateway, "alice");
                let headers = request.headers_mut();
                headers.insert("authorization", format!("{scheme} alice").parse().unwrap());
                headers.insert("content-type", content_type.parse().unwrap());
                (alice, request)
            };
            let http = client(http2_only);
            let (alice, cut) = request();
            let cut = tokio::spawn(http.request(cut));
            alice.unbounded_send("some".into()).unwrap();
            assert_eq!(soon(read.next()).await, Some(Read::Part("some".into())));
            gateway.tokens.revoke("alice").await;
            let cut = soon(cut).await.unwrap().unwrap();

            let (_alice, refused) = request();
            let refused = soon(http.request(refused)).await.unwrap();
            assert_eq!(cut.status(), refused.status());
            let told = |response: &Response<Incoming>| {
                [
                    "www-authenticate",
                    "cache-control",
                    "content-type",
                    "grpc-status",
                ]
                .map(|name| response.headers().get(name).cloned())
            };
            assert_eq!(told(&cut), told(&refused));
            let expected = match content_type {
                "text/plain" => refused.headers()["www-authenticate"].to_str().unwrap(),
                _ => refused.headers()["grpc-status"].to_str().unwrap(),
            };
            assert!(
                expected.starts_with(scheme) || expected == "16",
                "{expected}"
            );
        }
    }
}

/// An API over HTTP/2 that reads nothing, and responds at once or never. The receiver gets an item for
/// each request, and ends once all their streams are reset.
async fn deaf(responds: bool) -> (String, mpsc::UnboundedReceiver<()>) {
    let (begun, requests) = mpsc::unbounded();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("h2c://{}", listener.local_addr().unwrap());
    let mut begun = Some(begun);
    let service = move |request: Request<Incoming>| {
        let begun = begun.take().expect("there is one request");
        begun.unbounded_send(()).unwrap();
        // Both ends of the stream, and the sender.
        let body = StreamBody::new(futures::stream::once(async move {
            pending::<()>().await;
            drop((begun, request));
            Ok::<Frame<Bytes>, Infallible>(Frame::data(Bytes::new()))
        }));
        async move {
            if !responds {
                pending::<()>().await;
            }
            Ok::<_, Infallible>(Response::new(body))
        }
    };
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = Mutex::new(service);
        let service = service::service_fn(move |request| (service.lock().unwrap())(request));
        let connection = http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service);
        let _ = connection.await;
    });
    (url, requests)
}

#[tokio::test]
async fn upload_to_an_http2_api_that_reads_nothing_ends_with_its_token() {
    for responds in [true, false] {
        for http2_only in [false, true] {
            let (api, mut requests) = deaf(responds).await;
            let gateway = Gateway::to(&api).await;
            let (alice, request) = upload(&gateway, "alice");
            let response = tokio::spawn(client(http2_only).request(request));
            // More than all windows and buffers.
            for _ in 0..512 {
                alice.unbounded_send(vec![b'x'; 64 * 1024].into()).unwrap();
            }
            soon(requests.next()).await.unwrap();
            let response = if responds {
                let response = soon(response).await.unwrap().unwrap();
                assert_eq!(response.status(), 200);
                Ok(response)
            } else {
                Err(response)
            };
            // The upload waits for the window now. If it does not yet, it ends in the easier way.
            sleep(Duration::from_millis(200)).await;

            gateway.tokens.revoke("alice").await;
            let reset = timeout(Duration::from_secs(1), requests.next()).await;
            assert_eq!(reset.expect("the stream to the API is reset"), None);
            match response {
                Ok(response) => assert!(soon(response.into_body().collect()).await.is_err()),
                Err(response) => {
                    // A client that still sends may see the closed connection first.
                    if let Ok(response) = soon(response).await.unwrap() {
                        assert_eq!(response.status(), 401);
                    }
                }
            }
            let closed = async {
                while !alice.is_closed() {
                    sleep(Duration::from_millis(5)).await;
                }
            };
            soon(closed).await;
        }
    }
}

#[tokio::test]
async fn upload_to_an_http1_api_that_reads_nothing_ends_with_its_token() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // No limit of the time ends it.
    let upstream = Upstream::new(&url).unwrap();
    let upstream = upstream.head_timeout(Duration::from_secs(3600));
    let gateway = Gateway::with(upstream, Server::new()).await;
    let (alice, request) = upload(&gateway, "alice");
    let response = tokio::spawn(client(true).request(request));
    // More than all buffers.
    for _ in 0..512 {
        alice.unbounded_send(vec![b'x'; 64 * 1024].into()).unwrap();
    }
    let (mut api, _) = soon(listener.accept()).await.unwrap();
    // The token is watched now, so the connection to the API waits.
    let watched = async {
        while gateway.tokens.index.watched() == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    soon(watched).await;

    gateway.tokens.revoke("alice").await;
    let response = timeout(Duration::from_secs(1), response).await;
    let response = response.expect("it is cut within a second").unwrap();
    assert_eq!(response.unwrap().status(), 401);
    // The connection to the API is closed.
    let mut read = Vec::new();
    let _ = soon(api.read_to_end(&mut read)).await;
    assert!(read.starts_with(b"POST /up HTTP/1.1"));
    assert!(!read.ends_with(b"\r\n0\r\n\r\n"));
    drop(alice);
}

#[tokio::test]
async fn client_that_stops_in_its_body_gets_408_and_the_api_is_free() {
    for scheme in ["http", "h2c"] {
        for http2_only in [false, true] {
            let (api, mut read) = reader().await;
            let upstream = Upstream::new(&format!("{scheme}://{api}")).unwrap();
            let proxy = ReverseProxy::new(upstream).unwrap();
            let proxy = proxy.upload_idle_timeout(Duration::from_millis(200));
            let gateway = Gateway::around(proxy, Server::new()).await;
            let (alice, request) = upload(&gateway, "alice");
            let response = tokio::spawn(client(http2_only).request(request));
            for _ in 0..3 {
                alice.unbounded_send("some".into()).unwrap();
                assert_eq!(soon(read.next()).await, Some(Read::Part("some".into())));
            }
            // It sends no more.
            assert_eq!(soon(read.next()).await, Some(Read::Aborted));
            let response = soon(response).await.unwrap().unwrap();
            assert_eq!(response.status(), 408, "{scheme} {http2_only}");
        }
    }
}

#[tokio::test]
async fn requests_beyond_the_limit_are_503_until_one_ends() {
    let (api, mut read) = reader().await;
    let upstream = Upstream::new(&format!("http://{api}")).unwrap();
    // One client can have an eighth.
    let proxy = ReverseProxy::new(upstream).unwrap().max_requests(8);
    let gateway = Gateway::around(proxy, Server::new()).await;
    let http = client(true);
    let (alice, request) = upload(&gateway, "alice");
    let response = tokio::spawn(http.request(request));
    alice.unbounded_send("some".into()).unwrap();
    assert_eq!(soon(read.next()).await, Some(Read::Part("some".into())));

    let (_bob, request) = upload(&gateway, "bob");
    let refused = soon(http.request(request)).await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");

    drop(alice);
    let response = soon(response).await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    response.into_body().collect().await.unwrap();
    let (bob, request) = upload(&gateway, "bob");
    drop(bob);
    assert_eq!(soon(http.request(request)).await.unwrap().status(), 200);
}
