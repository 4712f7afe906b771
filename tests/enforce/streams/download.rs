//! Large responses.

use std::{
    convert::Infallible,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, routing};
use futures::stream;
use http_body_util::Empty;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client, header, server,
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tower::{Layer as _, service_fn};

use crate::streams::fixture::{
    Guarded, HttpClient, get, http1, http2, next, serve, soon, within_a_second,
};

const CHUNK: usize = 1 << 16;
const SIZE: usize = 64 << 20;
static ZEROS: [u8; CHUNK] = [0; CHUNK];

/// The number of bytes that the body has produced.
type Made = Arc<AtomicUsize>;

/// A body that is always ready.
fn download(made: Made, says_its_size: bool) -> Response<Body> {
    let chunks = (0..SIZE / CHUNK).map(move |_| {
        made.fetch_add(CHUNK, Ordering::Relaxed);
        Ok::<_, std::io::Error>(Bytes::from_static(&ZEROS))
    });
    let mut response = Response::new(Body::from_stream(stream::iter(chunks)));
    if says_its_size {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, SIZE.into());
    }
    response
}

/// Reads up to `wanted` bytes. Returns how many came, and whether the body failed.
async fn read(response: &mut Response<Incoming>, wanted: usize) -> (usize, bool) {
    let mut read = 0;
    while read < wanted {
        match soon(next(response.body_mut())).await {
            Some(Ok(chunk)) => read += chunk.len(),
            Some(Err(_)) => return (read, true),
            None => break,
        }
    }
    (read, false)
}

async fn is_cut_in_the_middle(client: HttpClient, says_its_size: bool) {
    let guarded = Guarded::new().await;
    let made = Made::default();
    let making = made.clone();
    let serves = routing::get(move || ready(download(making, says_its_size)));
    let app = Router::new()
        .route("/download", serves)
        .layer(guarded.layer.clone());
    let url = format!("http://{}/download", serve(app).await);

    let mut response = get(&client, url, "alice").await;
    let length = response.headers().get(header::CONTENT_LENGTH);
    assert_eq!(length.is_some(), says_its_size);
    let (before, cut) = read(&mut response, SIZE / 16).await;
    assert!(!cut && before < SIZE / 4);

    // What is in the buffers of the connection still comes.
    guarded.revoke("alice").await;
    let made_before = made.load(Ordering::Relaxed);
    let (after, cut) = within_a_second(read(&mut response, SIZE)).await;
    assert!(cut, "the body ended as if it were complete");
    assert!(before + after < SIZE);
    // One chunk may have been produced at that moment.
    assert!(made.load(Ordering::Relaxed) <= made_before + CHUNK);
    assert_eq!(guarded.index.watched(), 0);
}

#[tokio::test]
async fn a_download_is_cut_and_the_client_sees_that_it_is_incomplete() {
    for says_its_size in [false, true] {
        is_cut_in_the_middle(http1(), says_its_size).await;
        is_cut_in_the_middle(http2(), says_its_size).await;
    }
}

#[tokio::test]
async fn a_download_of_a_live_token_is_complete() {
    let guarded = Guarded::new().await;
    let serves = routing::get(|| ready(download(Made::default(), true)));
    let app = Router::new()
        .route("/download", serves)
        .layer(guarded.layer.clone());
    let url = format!("http://{}/download", serve(app).await);
    let mut response = get(&http1(), url, "alice").await;
    guarded.revoke("bob").await;
    assert_eq!(read(&mut response, usize::MAX).await, (SIZE, false));
}

/// Waits until every task is idle: the paused clock advances only then.
async fn until_idle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_reader_sees_the_cut_and_no_more_is_produced() {
    let guarded = Guarded::new().await;
    let made = Made::default();
    let making = made.clone();
    let serves = service_fn(move |_| ready(Ok::<_, Infallible>(download(making.clone(), true))));
    let service = TowerToHyperService::new(guarded.layer.layer(serves));
    let (ours, theirs) = tokio::io::duplex(CHUNK);
    let http = server::conn::http1::Builder::new();
    tokio::spawn(http.serve_connection(TokioIo::new(ours), service));
    let (mut client, connection) = client::conn::http1::handshake(TokioIo::new(theirs))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get("/download")
        .header(header::AUTHORIZATION, "Bearer alice")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let mut response = soon(client.send_request(request)).await.unwrap();
    let (before, _) = read(&mut response, 16 * CHUNK).await;
    until_idle().await;
    let made_before = made.load(Ordering::Relaxed);
    assert!(before < made_before && made_before < SIZE / 4);

    guarded.revoke("alice").await;
    until_idle().await;
    let (after, cut) = read(&mut response, SIZE).await;

    assert!(cut, "the body ended as if it were complete");
    assert!(before + after <= made_before);
    assert_eq!(made.load(Ordering::Relaxed), made_before);
}
