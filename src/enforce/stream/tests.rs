use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use allocation_counter::measure;
use http_body_util::BodyExt as _;
use tokio_test::{assert_pending, assert_ready, task};

use super::*;
use crate::{
    enforce::{life::Records, tag::Tag, watch::Watchers},
    introspect::{Introspection, TokenKind},
    log::{NumericDate, SelectorClass},
};

/// A grant, by its class.
const GRANT: Tag = Tag([7, 7, 7, 1]);

fn token(exp: Option<NumericDate>) -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
    token.exp = exp;
    token
}

/// Says what it is told to say, and counts how often it is asked.
#[derive(Default)]
struct Index {
    watchers: Arc<Watchers>,
    asked: AtomicUsize,
    /// It covers the token from this question on.
    from: Mutex<Option<usize>>,
}

impl Index {
    fn revoke(&self) {
        *self.from.lock().unwrap() = Some(0);
        self.watchers.revoked(GRANT, NumericDate::FOREVER);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn life(self: &Arc<Self>) -> TokenLife {
        TokenLife::new(self.clone(), token(None))
    }
}

impl Records for Index {
    fn end_of(&self, _: &Introspection) -> Option<End> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let covered = self.from.lock().unwrap().is_some_and(|from| from <= asked);
        covered.then_some(End::Revoked(GRANT.class()))
    }

    fn watch(&self, token: &Introspection) -> Watch {
        self.watchers
            .watch([GRANT].into_iter(), token.iat, token.exp)
    }
}

/// Frames, and then nothing or silence.
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

type Next = Option<Result<Frame<Bytes>, BoxError>>;

fn poll(body: &mut task::Spawn<EnforcedBody<Frames>>) -> Poll<Next> {
    body.enter(|cx, body| body.poll_frame(cx))
}

fn is_data(next: &Next) -> bool {
    matches!(next, Some(Ok(frame)) if frame.is_data())
}

fn end_of(next: Next) -> Option<End> {
    next?.err()?.downcast_ref().copied()
}

#[test]
fn a_waiting_body_is_woken_and_cut_with_an_error() {
    let index = Arc::new(Index::default());
    let body = EnforcedBody::inner(silent(1), Some(index.life()), Manner::Error);
    let mut body = task::spawn(body);
    assert!(is_data(&assert_ready!(poll(&mut body))));
    assert_pending!(poll(&mut body));
    assert!(!body.is_end_stream());

    index.revoke();

    assert!(body.is_woken());
    assert_eq!(
        end_of(assert_ready!(poll(&mut body))),
        Some(End::Revoked(SelectorClass::Grant))
    );
    assert!(assert_ready!(poll(&mut body)).is_none());
    assert!(body.is_end_stream());
    assert_eq!(index.watchers.len(), 0);
}

#[test]
fn a_grpc_body_is_cut_with_trailers_once() {
    let index = Arc::new(Index::default());
    let body = EnforcedBody::inner(silent(0), Some(index.life()), Manner::Grpc);
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
    let life = TokenLife::new(index.clone(), token(Some(exp)));
    let mut body = task::spawn(EnforcedBody::inner(silent(0), Some(life), Manner::Error));
    assert_pending!(poll(&mut body));

    index.watchers.expired(exp);

    assert!(body.is_woken());
    assert_eq!(end_of(assert_ready!(poll(&mut body))), Some(End::Expired));
}

#[test]
fn a_cut_body_lets_go_of_the_inner_one() {
    let index = Arc::new(Index::default());
    let held = Arc::new(());
    let inner = Frames {
        _held: Some(held.clone()),
        ..silent(0)
    };
    let mut body = task::spawn(EnforcedBody::inner(
        inner,
        Some(index.life()),
        Manner::Error,
    ));
    assert_pending!(poll(&mut body));
    assert_eq!(Arc::strong_count(&held), 2);

    index.revoke();
    assert!(poll(&mut body).is_ready());
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_short_body_is_never_watched_and_the_usual_one_never_asks() {
    let index = Arc::new(Index::default());
    let life = index.life();
    let mut frames = data(1);
    frames.push_back(Frame::trailers(HeaderMap::new()));
    let usual = EnforcedBody::inner(ending(frames), Some(life.clone()), Manner::Grpc);
    let collected = futures::executor::block_on(usual.collect()).unwrap();
    assert!(collected.trailers().is_some());
    assert_eq!(index.asked(), 0);

    let short = EnforcedBody::inner(ending(data(7)), Some(life.clone()), Manner::Error);
    let mut short = task::spawn(short);
    while assert_ready!(poll(&mut short)).is_some() {
        assert_eq!(index.watchers.len(), 0);
    }
    // It asked before each further frame, for a reader may take its time.
    assert_eq!(index.asked(), 6);
    drop(life);
}

#[test]
fn a_slow_reader_of_a_ready_body_gets_no_frame_after_the_end() {
    for passed in 1..20 {
        let index = Arc::new(Index::default());
        let body = EnforcedBody::inner(ending(data(30)), Some(index.life()), Manner::Error);
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
fn a_record_that_came_before_the_watch_was_there_cuts_as_well() {
    let index = Arc::new(Index::default());
    // In the index, and nobody was told.
    *index.from.lock().unwrap() = Some(0);
    let body = EnforcedBody::inner(silent(1), Some(index.life()), Manner::Error);
    let mut body = task::spawn(body);
    assert!(is_data(&assert_ready!(poll(&mut body))));
    assert!(end_of(assert_ready!(poll(&mut body))).is_some());
}

#[test]
fn a_body_without_a_life_passes_as_it_is() {
    let mut frames = data(20);
    frames.push_back(Frame::trailers(HeaderMap::new()));
    let body = EnforcedBody::inner(ending(frames), None, Manner::Error);
    let collected = futures::executor::block_on(body.collect()).unwrap();
    assert!(collected.trailers().is_some());
    assert_eq!(collected.to_bytes().len(), 80);
}

#[test]
fn sizes_and_ends_are_those_of_the_body() {
    let full = Full::new(Bytes::from_static(b"123"));
    let body = EnforcedBody::inner(full.clone(), None, Manner::Error);
    assert_eq!(body.size_hint().exact(), Some(3));
    assert!(!body.is_end_stream());
    let body: EnforcedBody<Full<Bytes>> = EnforcedBody::ours(full);
    assert_eq!(body.size_hint().exact(), Some(3));
    let body: EnforcedBody<Full<Bytes>> = EnforcedBody::default();
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.is_end_stream());
}

#[test]
fn a_life_is_watched_once_for_all_its_clones() {
    let index = Arc::new(Index::default());
    let life = index.life();
    assert_eq!(index.watchers.len(), 0);
    let mut ends: Vec<_> = (0..3).map(|_| task::spawn(life.clone().end())).collect();
    assert_eq!(index.watchers.len(), 1);
    for end in &mut ends {
        assert_pending!(end.poll());
    }
    assert_eq!(life.ended(), None);

    index.revoke();

    let revoked = End::Revoked(SelectorClass::Grant);
    for end in &mut ends {
        assert!(end.is_woken());
        assert_eq!(assert_ready!(end.poll()), revoked);
    }
    assert_eq!(life.ended(), Some(revoked));
    drop((life, ends));
    assert_eq!(index.watchers.len(), 0);
}

#[test]
fn a_short_body_costs_no_allocation() {
    let index = Arc::new(Index::default());
    let inner = Full::new(Bytes::from_static(b"short"));
    let (life, mut cx) = (index.life(), Context::from_waker(std::task::Waker::noop()));
    let allocated = measure(|| {
        let mut body = EnforcedBody::inner(inner, Some(life), Manner::Error);
        while assert_ready!(Pin::new(&mut body).poll_frame(&mut cx)).is_some() {}
    });
    assert_eq!(allocated.count_total, 0);
}
