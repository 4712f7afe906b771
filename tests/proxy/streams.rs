//! Event streams pass event by event, and end with their token or with the server.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{
    Response,
    body::{Frame, Incoming},
};
use tokio::{net::TcpListener, sync::broadcast, time::timeout};
use tower::service_fn;
use tower_revocation::proxy::{Upstream, server::Server};

use crate::{
    fixture::{Gateway, ask, echo, get, serve, soon},
    versions::{HttpClient, http1, http2},
};

/// An API of events, and their source.
async fn events() -> (String, broadcast::Sender<Bytes>) {
    let (source, _) = broadcast::channel::<Bytes>(16);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let sender = source.clone();
    let service = service_fn(move |_| {
        let events = sender.subscribe();
        let events = stream::unfold(events, async |mut events| {
            let event = events.recv().await.ok()?;
            Some((Ok::<_, Infallible>(Frame::data(event)), events))
        });
        let response = Response::builder()
            .header("content-type", "text/event-stream")
            .body(StreamBody::new(Box::pin(events)));
        async { Ok::<_, Infallible>(response.unwrap()) }
    });
    tokio::spawn(Server::new().serve(listener, service, std::future::pending()));
    (authority, source)
}

async fn open(client: &HttpClient, gateway: &Gateway, token: &str) -> Incoming {
    let mut request = get(gateway.url("/events"));
    let token = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", token);
    let response = soon(client.request(request)).await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body()
}

async fn next(body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    let frame = soon(body.frame()).await?;
    Some(frame.map(|frame| frame.into_data().unwrap()))
}

#[tokio::test]
async fn stream_ends_within_a_second_after_a_revocation() {
    let (api, source) = events().await;
    for scheme in ["http", "h2c"] {
        for client in [http1(), http2()] {
            let gateway = Gateway::to(&format!("{scheme}://{api}")).await;
            let mut alice = open(&client, &gateway, "alice").await;
            let mut bob = open(&client, &gateway, "bob").await;
            source.send("data: 1\n\n".into()).unwrap();
            for body in [&mut alice, &mut bob] {
                assert_eq!(next(body).await.unwrap().unwrap(), "data: 1\n\n");
            }
            gateway.tokens.revoke("alice").await;
            let cut = timeout(Duration::from_secs(1), alice.frame()).await;
            assert!(cut.expect("it is cut within a second").unwrap().is_err());
            source.send("data: 2\n\n".into()).unwrap();
            assert_eq!(next(&mut bob).await.unwrap().unwrap(), "data: 2\n\n");
        }
    }
}

#[tokio::test]
async fn shutdown_lets_responses_end_until_its_limit() {
    let (api, source) = events().await;
    for client in [http1(), http2()] {
        let upstream = Upstream::new(&format!("http://{api}")).unwrap();
        let limit = Duration::from_millis(500);
        let server = Server::new().shutdown_timeout(limit);
        let gateway = Gateway::with(upstream, server).await;
        let mut body = open(&client, &gateway, "alice").await;
        drop(gateway.stop);
        // It is still served.
        source.send("data: 1\n\n".into()).unwrap();
        assert_eq!(next(&mut body).await.unwrap().unwrap(), "data: 1\n\n");
        soon(gateway.serving).await.unwrap();
        assert!(next(&mut body).await.is_none_or(|end| end.is_err()));
        assert!(
            tokio::net::TcpStream::connect(gateway.address)
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn shutdown_does_not_wait_for_idle_connections() {
    let api = serve(echo).await;
    let upstream = Upstream::new(&format!("http://{api}")).unwrap();
    let server = Server::new().shutdown_timeout(Duration::from_secs(3600));
    let gateway = Gateway::with(upstream, server).await;
    let silent = gateway.connect().await;
    for client in [http1(), http2()] {
        assert_eq!(ask(&client, get(gateway.url("/"))).await.status(), 200);
    }
    drop(gateway.stop);
    soon(gateway.serving).await.unwrap();
    drop(silent);
}
