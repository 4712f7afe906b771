//! What a body does when its token ends.

mod connections;

use std::{collections::VecDeque, convert::Infallible, sync::Arc, task::Poll};

use allocation_counter::measure;
use http_body_util::BodyExt as _;
use tokio_test::{assert_pending, assert_ready, task};

use super::*;
use crate::{
    enforce::{index, life::tests::Index},
    introspect::{Introspection, TokenKind},
    log::{NumericDate, Selector, SelectorClass},
};

/// A body of some frames that ends after them or stays pending.
struct Frames {
    left: VecDeque<Frame<Bytes>>,
    silent: bool,
    _held: Option<Arc<()>>,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.left.pop_front() {
            None if self.silent => Poll::Pending,
            frame => Poll::Ready(frame.map(Ok)),
        }
    }
}

fn data(count: usize) -> VecDeque<Frame<Bytes>> {
    let frame = || Frame::data(Bytes::from_static(b"data"));
    std::iter::repeat_with(frame).take(count).collect()
}

fn ending(left: VecDeque<Frame<Bytes>>) -> Frames {
    Frames {
        left,
        silent: false,
        _held: None,
    }
}

fn silent(count: usize) -> Frames {
    Frames {
        left: data(count),
        silent: true,
        _held: None,
    }
}

type Next = Option<Result<Frame<Bytes>, BodyError<Infallible>>>;

fn poll(body: &mut task::Spawn<EnforcedBody<Frames>>) -> Poll<Next> {
    body.enter(|cx, body| body.poll_frame(cx))
}

fn is_data(next: &Next) -> bool {
    matches!(next, Some(Ok(frame)) if frame.is_data())
}

fn end_of(next: Next) -> Option<End> {
    match next? {
        Err(BodyError::End(end)) => Some(end),
        _ => None,
    }
}

#[test]
fn a_waiting_body_is_woken_and_cut_with_an_error() {
    let index = Arc::new(Index::default());
    let body = EnforcedBody::watched(silent(1), index.life(), Protocol::Http);
    let mut body = task::spawn(body);
    assert!(is_data(&assert_ready!(poll(&mut body))));
    assert_pending!(poll(&mut body));
    assert!(!body.is_end_stream());

    index.revoke();

    assert!(body.is_woken());
    assert_eq!(
        end_of(assert_ready!(poll(&mut body))),
        Some(End::Revoked(Some(SelectorClass::Grant)))
    );
    assert!(assert_ready!(poll(&mut body)).is_none());
    assert!(body.is_end_stream());
    assert_eq!(index.watchers.len(), 0);
}

#[test]
fn a_grpc_body_is_cut_with_trailers_once() {
    let index = Arc::new(Index::default());
    let body = EnforcedBody::watched(silent(0), index.life(), Protocol::Grpc);
    let mut body = task::spawn(body);
    assert_pending!(poll(&mut body));

    index.revoke();

    let trailers = assert_ready!(poll(&mut body))
        .unwrap()
        .unwrap()
        .into_trailers()
        .unwrap();
    assert_eq!(trailers["grpc-status"], "16");
    assert_eq!(trailers["grpc-message"], "the token was revoked");
    assert!(assert_ready!(poll(&mut body)).is_none());
}

#[test]
fn an_expired_token_ends_its_body() {
    let index = Arc::new(Index::default());
    let exp = NumericDate::now() + std::time::Duration::from_secs(3600);
    let life = index.life_until(Some(exp));
    let mut body = task::spawn(EnforcedBody::watched(silent(0), life, Protocol::Http));
    assert_pending!(poll(&mut body));

    index.watchers.expired(exp);

    assert!(body.is_woken());
    assert_eq!(end_of(assert_ready!(poll(&mut body))), Some(End::Expired));
}

#[test]
fn a_cut_body_drops_the_inner_body() {
    let index = Arc::new(Index::default());
    let held = Arc::new(());
    let inner = Frames {
        _held: Some(held.clone()),
        ..silent(0)
    };
    let mut body = task::spawn(EnforcedBody::watched(inner, index.life(), Protocol::Http));
    assert_pending!(poll(&mut body));
    assert_eq!(Arc::strong_count(&held), 2);

    index.revoke();
    assert!(poll(&mut body).is_ready());
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_short_body_is_never_watched_and_one_frame_is_never_checked() {
    let index = Arc::new(Index::default());
    let life = index.life();
    let mut frames = data(1);
    frames.push_back(Frame::trailers(HeaderMap::new()));
    let usual = EnforcedBody::watched(ending(frames), life.clone(), Protocol::Grpc);
    let collected = futures::executor::block_on(usual.collect()).unwrap();
    assert!(collected.trailers().is_some());
    assert_eq!(index.checked(), 0);

    let short = EnforcedBody::watched(ending(data(7)), life.clone(), Protocol::Http);
    let mut short = task::spawn(short);
    while assert_ready!(poll(&mut short)).is_some() {
        assert_eq!(index.watchers.len(), 0);
    }
    // Each further frame checks, because a reader may be slow.
    assert_eq!(index.checked(), 6);
    drop(life);
}

#[test]
fn a_slow_reader_of_a_ready_body_gets_no_frame_after_the_end() {
    for passed in 1..20 {
        let index = Arc::new(Index::default());
        let body = EnforcedBody::watched(ending(data(30)), index.life(), Protocol::Http);
        let mut body = task::spawn(body);
        for _ in 0..passed {
            assert!(is_data(&assert_ready!(poll(&mut body))));
        }
        assert_eq!(index.watchers.is_empty(), passed < 8, "{passed}");
        index.revoke();
        assert!(
            end_of(assert_ready!(poll(&mut body))).is_some(),
            "after {passed} frames"
        );
    }
}

#[test]
fn a_record_that_came_before_the_watch_cuts_as_well() {
    let index = Arc::new(Index::default());
    // The record is in the index, but no watch was woken.
    index.know();
    let body = EnforcedBody::watched(silent(1), index.life(), Protocol::Http);
    let mut body = task::spawn(body);
    assert!(is_data(&assert_ready!(poll(&mut body))));
    assert!(end_of(assert_ready!(poll(&mut body))).is_some());
}

#[test]
fn nothing_is_cut_after_the_trailers() {
    for (frames, protocol) in [
        (0, Protocol::Grpc),
        (1, Protocol::Http),
        (20, Protocol::Grpc),
        (20, Protocol::Http),
    ] {
        let index = Arc::new(Index::default());
        let mut left = data(frames);
        left.push_back(Frame::trailers(HeaderMap::new()));
        let mut body = task::spawn(EnforcedBody::watched(ending(left), index.life(), protocol));
        for _ in 0..frames {
            assert!(is_data(&assert_ready!(poll(&mut body))));
        }
        assert!(
            assert_ready!(poll(&mut body))
                .unwrap()
                .unwrap()
                .is_trailers()
        );
        index.revoke();
        assert!(assert_ready!(poll(&mut body)).is_none(), "{frames}");
        assert_eq!(index.watchers.len(), 0);
    }
}

#[test]
fn an_unwatched_body_passes_unchanged() {
    let mut frames = data(20);
    frames.push_back(Frame::trailers(HeaderMap::new()));
    let body = EnforcedBody::unwatched(ending(frames));
    let collected = futures::executor::block_on(body.collect()).unwrap();
    assert!(collected.trailers().is_some());
    assert_eq!(collected.to_bytes().len(), 80);
}

#[test]
fn size_and_end_are_those_of_the_inner_body() {
    let full = Full::new(Bytes::from_static(b"123"));
    let body = EnforcedBody::unwatched(full.clone());
    assert_eq!(body.size_hint().exact(), Some(3));
    assert!(!body.is_end_stream());
    let body: EnforcedBody<Full<Bytes>> = EnforcedBody::ours(full);
    assert_eq!(body.size_hint().exact(), Some(3));
    let body: EnforcedBody<Full<Bytes>> = EnforcedBody::default();
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.is_end_stream());
}

#[test]
fn a_short_body_costs_no_allocation() {
    let index = Arc::new(Index::default());
    let inner = Full::new(Bytes::from_static(b"short"));
    let (life, mut cx) = (index.life(), Context::from_waker(std::task::Waker::noop()));
    let allocated = measure(|| {
        let mut body = EnforcedBody::watched(inner, life, Protocol::Http);
        while assert_ready!(Pin::new(&mut body).poll_frame(&mut cx)).is_some() {}
    });
    assert_eq!(allocated.count_total, 0);
}

#[test]
fn an_idle_body_takes_less_than_512_bytes_beside_the_inner_body() {
    const BODIES: u64 = 10_000;
    let index = index::Index::new();
    let mut bodies = Vec::with_capacity(10_000);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    let allocated = measure(|| {
        for number in 0..BODIES {
            // Its own: token, grant, session, subject, both. Shared: client, key, issuer.
            let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
            token.token = Some(Selector::grant(&number.to_string()));
            token.grant = Some(number.to_string());
            token.sid = Some(number.to_string());
            token.sub = Some(number.to_string());
            token.cnf.jkt = Some([1; 32]);
            token.iss = Some("https://as.example.com".into());
            let life = index.life(token);
            let mut body = EnforcedBody::watched(silent(0), life, Protocol::Http);
            assert_pending!(Pin::new(&mut body).poll_frame(&mut cx));
            bodies.push(body);
        }
    });
    assert_eq!(index.watched(), 10_000);
    let each = u64::try_from(allocated.bytes_current).unwrap_or(u64::MAX) / BODIES;
    assert!((200..512).contains(&each), "{each} bytes");
}
