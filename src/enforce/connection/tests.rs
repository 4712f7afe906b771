use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex, split},
    net::{TcpListener, TcpStream},
};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};

use super::*;
use crate::{
    enforce::{life::Records, tag::Tag, watch::Watchers},
    introspect::{Introspection, TokenKind},
    log::{NumericDate, SelectorClass},
};

#[derive(Default)]
struct Index(Arc<Watchers>);

/// A token, by its class.
fn tag(token: u32) -> Tag {
    Tag([token, token, token, 0])
}

impl Index {
    fn life(self: &Arc<Self>, token: u32) -> TokenLife {
        let client_id = token.to_string();
        let token = Introspection::new(TokenKind::AccessToken, client_id);
        TokenLife::new(self.clone(), token)
    }

    fn revoke(&self, token: u32) {
        self.0.revoked(tag(token), NumericDate::FOREVER);
    }
}

impl Records for Index {
    fn end_of(&self, _: &Introspection) -> Option<End> {
        None
    }

    fn watch(&self, token: &Introspection) -> Watch {
        let tag = tag(token.client_id.parse().unwrap());
        self.0.watch([tag].into_iter(), token.iat, token.exp)
    }
}

fn accepted() -> (Arc<Index>, Severable<DuplexStream>, DuplexStream) {
    let (ours, theirs) = duplex(16);
    (Arc::default(), Severable::new(ours), theirs)
}

fn assert_cut(error: &io::Error) {
    assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<End>());
    assert_eq!(cause, Some(&End::Revoked(SelectorClass::Token)));
}

#[tokio::test]
async fn until_the_token_is_over_everything_passes() {
    let (index, mut io, mut peer) = accepted();
    io.handle().sever_with(&index.life(1));
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
    io.handle().sever_with(&index.life(1));
    let (mut reader, mut writer) = split(io);
    let (mut read, full) = ([0; 1], [0; 64]);
    let mut reads = task::spawn(reader.read(&mut read));
    let mut pending = task::spawn(writer.write_all(&full));
    assert_pending!(reads.poll());
    assert_pending!(pending.poll());

    index.revoke(1);

    assert!(reads.is_woken());
    assert!(pending.is_woken());
    assert_cut(&assert_ready_err!(reads.poll()));
    assert_cut(&assert_ready_err!(pending.poll()));
}

#[test]
fn what_waited_before_the_upgrade_is_woken_too() {
    let (index, io, _peer) = accepted();
    let handle = io.handle();
    let (mut reader, mut writer) = split(io);
    let (mut read, full) = ([0; 1], [0; 64]);
    let mut reads = task::spawn(reader.read(&mut read));
    let mut pending = task::spawn(writer.write_all(&full));
    assert_pending!(reads.poll());
    assert_pending!(pending.poll());

    handle.sever_with(&index.life(1));
    assert!(reads.is_woken());
    assert!(pending.is_woken());
    assert_pending!(reads.poll());
    assert_pending!(pending.poll());

    index.revoke(1);
    assert_cut(&assert_ready_err!(reads.poll()));
    assert_cut(&assert_ready_err!(pending.poll()));
}

#[test]
fn nothing_that_waits_in_the_connection_is_read_after_the_end() {
    let (index, mut io, mut peer) = accepted();
    io.handle().sever_with(&index.life(1));
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
    // The peer hears of it.
    assert_ready_ok!(task::spawn(io.shutdown()).poll());
    assert_eq!(
        assert_ready!(task::spawn(peer.read(&mut read)).poll()).unwrap(),
        0
    );
}

#[test]
fn whichever_token_is_over_first_ends_it() {
    for revoked in [1, 2, 3] {
        let (index, mut io, _peer) = accepted();
        let mut read = [0; 1];
        let handle = io.handle();
        let mut reads = task::spawn(io.read(&mut read));
        for token in [1, 2, 3] {
            assert_pending!(reads.poll());
            handle.sever_with(&index.life(token));
        }
        assert_pending!(reads.poll());
        index.revoke(revoked);
        assert!(reads.is_woken());
        assert_cut(&assert_ready_err!(reads.poll()));
    }
}

#[test]
fn a_token_that_is_over_already_ends_it_at_once() {
    let (index, mut io, _peer) = accepted();
    let life = index.life(1);
    assert_eq!(life.ended(), None);
    index.revoke(1);
    io.handle().sever_with(&life);
    assert_cut(&assert_ready_err!(task::spawn(io.read(&mut [0; 1])).poll()));
}

#[test]
fn a_life_that_is_not_watched_changes_nothing() {
    let (_, mut io, _peer) = accepted();
    io.handle().sever_with(&TokenLife::unwatched());
    assert_ready_ok!(task::spawn(io.write(b"hello")).poll());
}

#[test]
fn a_connection_that_is_gone_is_watched_no_more() {
    let (index, mut io, _peer) = accepted();
    let handle = io.handle();
    handle.sever_with(&index.life(1));
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
    let (mut client, mut io) = (client.unwrap(), Severable::new(accepted.unwrap().0));
    assert!(io.is_write_vectored());
    let bufs = [IoSlice::new(b"one"), IoSlice::new(b"two")];
    assert_eq!(io.write_vectored(&bufs).await.unwrap(), 6);
    drop(io);
    let mut read = String::new();
    client.read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "onetwo");

    let plain = Severable::new(tokio_test::io::Builder::new().build());
    assert!(!plain.is_write_vectored());
}

/// Two tasks on two threads, and one that comes with the token at any moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_comes_at_any_moment_is_not_missed() {
    for round in 0..2_000_u32 {
        let (index, mut io, _peer) = accepted();
        let (handle, revoked) = (io.handle(), index.clone());
        let cut = tokio::spawn(async move {
            for _ in 0..round % 7 {
                std::hint::spin_loop();
            }
            handle.sever_with(&revoked.life(1));
            revoked.revoke(1);
        });
        assert_cut(&io.read(&mut [0; 1]).await.unwrap_err());
        cut.await.unwrap();
    }
}
