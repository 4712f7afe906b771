//! HTTP/2 peers that read nothing of one stream.

use std::{
    convert::Infallible,
    future::{pending, ready},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt as _, channel::mpsc};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{
    Request, Response,
    body::{Frame, Incoming},
};
use tokio::{net::TcpListener, time::sleep};
use tower::service_fn;
use tower_revocation::proxy::{Upstream, server::Server};

use crate::{
    fixture::{Gateway, ask, get, serve, soon},
    versions::http2,
};

const LIMIT: Duration = Duration::from_millis(500);
const LARGE: usize = 64 * 1024 * 1024;

#[tokio::test]
async fn stream_whose_window_stays_at_zero_is_reset_and_the_connection_goes_on() {
    let api = serve(async |request| {
        let large = request.uri().path() == "/large";
        Response::new(vec![b'x'; if large { LARGE } else { 10 }].into())
    })
    .await;
    let upstream = Upstream::new(&format!("http://{api}")).unwrap();
    let gateway = Gateway::with(upstream, Server::new().write_timeout(LIMIT)).await;
    let client = http2();
    let unread = soon(client.request(get(gateway.url("/large")))).await;
    let unread = unread.unwrap().into_body();
    sleep(4 * LIMIT).await;
    // The same connection, which has read everything else.
    let response = ask(&client, get(gateway.url("/"))).await;
    assert_eq!(response.body().len(), 10);
    assert!(soon(unread.collect()).await.is_err());
}

#[tokio::test]
async fn stream_that_waits_for_its_body_is_not_reset() {
    let (parts, body) = mpsc::unbounded::<Bytes>();
    let body = body.map(|part| Ok::<_, Infallible>(Frame::data(part)));
    let body = Arc::new(Mutex::new(Some(StreamBody::new(body))));
    let service = service_fn(move |_: Request<Incoming>| {
        let body = body.lock().unwrap().take().unwrap();
        ready(Ok::<_, Infallible>(Response::new(body)))
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = Server::new().write_timeout(LIMIT);
    tokio::spawn(server.serve(listener, service, pending()));

    // The first part fills the window, so the second waits for the peer. Then the stream waits for its body.
    parts.unbounded_send(vec![b'x'; LARGE].into()).unwrap();
    parts.unbounded_send("second".into()).unwrap();
    let response = soon(http2().request(get(url))).await.unwrap();
    let mut body = response.into_body();
    let mut read = 0;
    while read < LARGE + "second".len() {
        let part = soon(body.frame()).await.unwrap().unwrap();
        read += part.into_data().unwrap().len();
    }
    sleep(3 * LIMIT).await;
    parts.unbounded_send("third".into()).unwrap();
    let third = soon(body.frame()).await.unwrap().unwrap();
    assert_eq!(third.into_data().unwrap(), "third");
}
