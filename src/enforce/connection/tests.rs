use std::{
    future::ready,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{
        AsyncRead, AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _, DuplexStream, ReadBuf,
        duplex, split,
    },
    net::{TcpListener, TcpStream},
};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};

use super::*;
use crate::{
    enforce::{End, tag::Tag, watch::Watchers},
    log::{NumericDate, SelectorClass},
};

#[derive(Default)]
struct Index(Arc<Watchers>);

/// The tag of a token's selector.
fn tag(token: u32) -> Tag {
    Tag([token, token, token, 0])
}

impl Index {
    fn watch(&self, token: u32) -> Watch {
        self.0.watch([tag(token)].into_iter(), None, None)
    }

    fn revoke(&self, token: u32) {
        self.0.revoked(tag(token), NumericDate::FOREVER);
    }
}

fn accepted() -> (Arc<Index>, Abortable<DuplexStream>, DuplexStream) {
    let (ours, theirs) = duplex(16);
    (Arc::default(), Abortable::new(ours), theirs)
}

fn assert_cut(error: &io::Error) {
    assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<End>());
    assert_eq!(cause, Some(&End::Revoked(Some(SelectorClass::Token))));
}

#[tokio::test]
async fn everything_passes_until_the_token_ends() {
    let (index, mut io, mut peer) = accepted();
    io.handle().abort_with(index.watch(1));
    index.revoke(2);
    for _ in 0..3 {
        io.write_all(b"hello").await.unwrap();
        let mut read = [0; 5];
        peer.read_exact(&mut read).await.unwrap();
        peer.write_all(&read).await.unwrap();
        io.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"hello");
    }
}

#[test]
fn pending_reads_and_writes_are_woken_and_fail() {
    let (index, io, _peer) = accepted();
    io.handle().abort_with(index.watch(1));
    let (mut reader, mut writer) = split(io);
    let (mut read, full) = ([0; 1], [0; 64]);
    let mut reading = task::spawn(reader.read(&mut read));
    let mut writing = task::spawn(writer.write_all(&full));
    assert_pending!(reading.poll());
    assert_pending!(writing.poll());

    index.revoke(1);

    assert!(reading.is_woken());
    assert!(writing.is_woken());
    assert_cut(&assert_ready_err!(reading.poll()));
    assert_cut(&assert_ready_err!(writing.poll()));
}

#[test]
fn reads_and_writes_from_before_the_upgrade_are_woken_too() {
    let (index, io, _peer) = accepted();
    let handle = io.handle();
    let (mut reader, mut writer) = split(io);
    let (mut read, full) = ([0; 1], [0; 64]);
    let mut reading = task::spawn(reader.read(&mut read));
    let mut writing = task::spawn(writer.write_all(&full));
    assert_pending!(reading.poll());
    assert_pending!(writing.poll());

    handle.abort_with(index.watch(1));
    assert!(reading.is_woken());
    assert!(writing.is_woken());
    assert_pending!(reading.poll());
    assert_pending!(writing.poll());

    index.revoke(1);
    assert_cut(&assert_ready_err!(reading.poll()));
    assert_cut(&assert_ready_err!(writing.poll()));
}

#[test]
fn nothing_is_read_or_written_after_the_end() {
    let (index, mut io, mut peer) = accepted();
    io.handle().abort_with(index.watch(1));
    assert_ready_ok!(task::spawn(peer.write_all(b"late")).poll());

    index.revoke(1);

    let mut read = [0; 4];
    assert_cut(&assert_ready_err!(task::spawn(io.read(&mut read)).poll()));
    assert_cut(&assert_ready_err!(task::spawn(io.write(b"late")).poll()));
    assert_cut(&assert_ready_err!(task::spawn(io.flush()).poll()));
    let bufs = [IoSlice::new(b"late")];
    assert_cut(&assert_ready_err!(
        task::spawn(io.write_vectored(&bufs)).poll()
    ));
    // The peer sees the end.
    assert_ready_ok!(task::spawn(io.shutdown()).poll());
    assert_eq!(
        assert_ready!(task::spawn(peer.read(&mut read)).poll()).unwrap(),
        0
    );
}

#[test]
fn the_first_token_that_ends_aborts_the_connection() {
    for revoked in [1, 2, 3] {
        let (index, mut io, _peer) = accepted();
        let mut read = [0; 1];
        let handle = io.handle();
        let mut reading = task::spawn(io.read(&mut read));
        for token in [1, 2, 3] {
            assert_pending!(reading.poll());
            handle.abort_with(index.watch(token));
        }
        assert_pending!(reading.poll());
        index.revoke(revoked);
        assert!(reading.is_woken());
        assert_cut(&assert_ready_err!(reading.poll()));
    }
}

#[test]
fn a_token_that_has_ended_already_aborts_at_once() {
    let (index, mut io, _peer) = accepted();
    let watch = index.watch(1);
    index.revoke(1);
    io.handle().abort_with(watch);
    assert_cut(&assert_ready_err!(task::spawn(io.read(&mut [0; 1])).poll()));
}

#[test]
fn a_dropped_connection_is_no_longer_watched() {
    let (index, mut io, _peer) = accepted();
    let handle = io.handle();
    handle.abort_with(index.watch(1));
    assert_pending!(task::spawn(io.read(&mut [0; 1])).poll());
    assert_eq!(index.0.len(), 1);
    drop((io, handle));
    assert_eq!(index.0.len(), 0);
}

#[tokio::test]
async fn vectored_writes_stay_vectored() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, accepted) = tokio::join!(client, listener.accept());
    let (mut client, mut io) = (client.unwrap(), Abortable::new(accepted.unwrap().0));
    assert!(io.is_write_vectored());
    let bufs = [IoSlice::new(b"one"), IoSlice::new(b"two")];
    assert_eq!(io.write_vectored(&bufs).await.unwrap(), 6);
    drop(io);
    let mut read = String::new();
    client.read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "onetwo");

    let plain = Abortable::new(tokio_test::io::Builder::new().build());
    assert!(!plain.is_write_vectored());
}

/// Runs a function during a read, and is then pending.
struct Meanwhile<F>(F);

impl<F: FnMut() + Unpin> AsyncRead for Meanwhile<F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        (self.0)();
        Poll::Pending
    }
}

#[test]
fn a_token_that_comes_during_a_read_is_not_missed() {
    let index: Arc<Index> = Arc::default();
    let (watch, handle) = (index.watch(1), Arc::new(Mutex::new(None::<Connection>)));
    let later = handle.clone();
    let mut io = Abortable::new(Meanwhile(move || {
        let handle = later.lock().unwrap().take();
        handle.unwrap_or_default().abort_with(watch.clone());
    }));
    *handle.lock().unwrap() = Some(io.handle());
    let mut read = [0; 1];
    let mut reading = task::spawn(io.read(&mut read));
    assert_pending!(reading.poll());

    index.revoke(1);

    assert!(reading.is_woken());
    assert_cut(&assert_ready_err!(reading.poll()));
}

/// The token comes from another thread at any moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_comes_at_any_moment_is_not_missed() {
    for round in 0..2_000_u32 {
        let (index, mut io, _peer) = accepted();
        let (handle, revoked) = (io.handle(), index.clone());
        let cut = tokio::spawn(async move {
            for _ in 0..round % 7 {
                std::hint::spin_loop();
            }
            handle.abort_with(revoked.watch(1));
            revoked.revoke(1);
        });
        assert_cut(&io.read(&mut [0; 1]).await.unwrap_err());
        cut.await.unwrap();
    }
}

#[tokio::test]
async fn an_upgraded_connection_of_hyper_ends_with_its_token() {
    let (ours, mut client) = duplex(1024);
    let index: Arc<Index> = Arc::default();
    let io = Abortable::new(ours);
    let (handle, watch) = (io.handle(), index.watch(1));
    let (send_error, ended) = tokio::sync::oneshot::channel();
    let send_error = Mutex::new(Some(send_error));
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        let upgrade = hyper::upgrade::on(&mut request);
        let send_error = send_error.lock().unwrap().take().unwrap();
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.unwrap());
            let mut byte = [0; 1];
            let error = loop {
                match io.read_exact(&mut byte).await {
                    Ok(_) => io.write_all(&byte).await.unwrap(),
                    Err(error) => break error,
                }
            };
            send_error.send(error).unwrap();
        });
        // The layer does this.
        handle.abort_with(watch.clone());
        let response = Response::builder().status(101).header("upgrade", "echo");
        ready(
            response
                .header("connection", "upgrade")
                .body(Full::<Bytes>::default()),
        )
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(io), service);
    tokio::spawn(served.with_upgrades());

    let request = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n1";
    client.write_all(request).await.unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\n1") {
        assert_ne!(client.read_buf(&mut response).await.unwrap(), 0);
    }
    assert!(response.starts_with(b"HTTP/1.1 101 "));
    client.write_all(b"2").await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'2');

    index.revoke(1);

    assert_cut(&ended.await.unwrap());
    assert_eq!(
        client.read_u8().await.unwrap_err().kind(),
        io::ErrorKind::UnexpectedEof
    );
}
