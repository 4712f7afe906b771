//! When the layer arms its timer, and for when.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{FutureExt as _, stream};
use http_body_util::StreamBody;
use hyper::{
    body::{Body, Frame},
    rt::{Sleep, Timer},
};
use tower::{Layer as _, Service as _, service_fn};
use tower_revocation::RevocationLayer;

use super::{PATH, elsewhere, empty, known, revoked, with_body};

/// A clock that only the test advances. It writes down what is asked of it.
#[derive(Clone)]
struct Clock(Arc<Mutex<Record>>);

struct Record {
    beginning: Instant,
    elapsed: Duration,
    /// How often the time was read.
    reads: usize,
    /// For when a timer was armed or reset, since the beginning.
    armed: Vec<Duration>,
    live: usize,
}

impl Clock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Record {
            beginning: Instant::now(),
            elapsed: Duration::ZERO,
            reads: 0,
            armed: Vec::new(),
            live: 0,
        })))
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap()
    }

    fn advance(&self, seconds: u64) {
        self.record().elapsed += Duration::from_secs(seconds);
    }

    fn arm(&self, deadline: Instant) -> Instant {
        let mut record = self.record();
        let after = deadline - record.beginning;
        record.armed.push(after);
        deadline
    }
}

impl Timer for Clock {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.record().live += 1;
        Box::pin(Nap {
            until: self.arm(deadline),
            clock: self.clone(),
        })
    }

    fn now(&self) -> Instant {
        let mut record = self.record();
        record.reads += 1;
        record.beginning + record.elapsed
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, deadline: Instant) {
        let mut nap = sleep.as_mut().downcast_mut_pin::<Nap>().unwrap();
        nap.until = self.arm(deadline);
    }
}

/// Wakes nobody: the tests poll again by themselves.
struct Nap {
    until: Instant,
    clock: Clock,
}

impl Future for Nap {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let record = self.clock.record();
        if record.beginning + record.elapsed < self.until {
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl Sleep for Nap {}

impl Drop for Nap {
    fn drop(&mut self) {
        self.clock.record().live -= 1;
    }
}

/// Waits until the test opens it.
#[derive(Clone, Default)]
struct Gate(Arc<AtomicBool>);

impl Gate {
    fn open(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    async fn opened(self) {
        poll_fn(|_| {
            if self.0.load(Ordering::Relaxed) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// A body whose only frame waits.
    fn body(&self) -> impl Body<Data = Bytes, Error = Infallible> + use<> {
        let gate = self.clone();
        StreamBody::new(Box::pin(stream::once(async {
            gate.opened().await;
            let form = Bytes::from_static(b"token=45ghiukldjahdnhzdauz&client_id=spa-1");
            Ok(Frame::data(form))
        })))
    }

    /// The future of a service, after the gate.
    fn then<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let gate = self.clone();
        async {
            gate.opened().await;
            future.await
        }
    }
}

/// A request with its clock and its gates. The limits are 10 s for the body and 30 s in total.
struct Request {
    response: Pin<Box<dyn Future<Output = u16>>>,
    clock: Clock,
    body: Gate,
    authenticator: Gate,
    backend: Gate,
}

impl Request {
    fn new() -> Self {
        let (clock, body) = (Clock::new(), Gate::default());
        let (authenticator, backend) = (Gate::default(), Gate::default());
        let (known_later, revoked_later) = (authenticator.clone(), backend.clone());
        let mut service = RevocationLayer::new(
            PATH,
            service_fn(move |request| known_later.then(known(request))),
            service_fn(move |request| revoked_later.then(revoked(request))),
        )
        .timer(clock.clone())
        .body_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(30))
        .layer(service_fn(empty));
        let response = service.call(with_body(body.body()));
        Self {
            response: Box::pin(async { response.await.unwrap().status().as_u16() }),
            clock,
            body,
            authenticator,
            backend,
        }
    }

    /// The status, if the response is ready.
    fn poll(&mut self) -> Poll<u16> {
        let mut cx = Context::from_waker(Waker::noop());
        self.response.as_mut().poll(&mut cx)
    }

    /// For when the timer was armed so far, in seconds, and how many are live.
    fn timers(&self) -> (Vec<u64>, usize) {
        let record = self.clock.record();
        let armed = record.armed.iter().map(Duration::as_secs);
        (armed.collect(), record.live)
    }
}

#[test]
fn nothing_is_armed_if_body_authenticator_and_backend_are_ready() {
    let mut request = Request::new();
    request.body.open();
    request.authenticator.open();
    request.backend.open();
    assert_eq!(request.poll(), Poll::Ready(200));
    assert_eq!(request.timers(), (vec![], 0));
    assert_eq!(request.clock.record().reads, 1);
}

#[test]
fn passing_request_does_not_read_the_time() {
    let clock = Clock::new();
    let mut service = RevocationLayer::new(PATH, service_fn(known), service_fn(revoked))
        .timer(clock.clone())
        .layer(service_fn(empty));
    assert!(service.call(elsewhere()).now_or_never().is_some());
    assert_eq!(clock.record().reads, 0);
}

#[test]
fn body_authenticator_and_backend_share_one_timer() {
    let mut request = Request::new();
    assert_eq!(request.timers(), (vec![], 0));
    for _ in 0..2 {
        assert_eq!(request.poll(), Poll::Pending);
        assert_eq!(request.timers(), (vec![10], 1));
    }
    request.body.open();
    for _ in 0..2 {
        assert_eq!(request.poll(), Poll::Pending);
        assert_eq!(request.timers(), (vec![10, 30], 1));
    }
    request.authenticator.open();
    assert_eq!(request.poll(), Poll::Pending);
    assert_eq!(request.timers(), (vec![10, 30], 1));
    request.backend.open();
    assert_eq!(request.poll(), Poll::Ready(200));
    // The future still exists.
    assert_eq!(request.timers(), (vec![10, 30], 0));
    assert_eq!(request.clock.record().reads, 1);
}

#[test]
fn timer_for_the_body_is_not_reset_if_nothing_else_waits() {
    let mut request = Request::new();
    assert_eq!(request.poll(), Poll::Pending);
    request.body.open();
    request.authenticator.open();
    request.backend.open();
    assert_eq!(request.poll(), Poll::Ready(200));
    assert_eq!(request.timers(), (vec![10], 0));
}

#[test]
fn backend_that_waits_alone_is_503_at_the_limit() {
    let mut request = Request::new();
    request.body.open();
    request.authenticator.open();
    assert_eq!(request.poll(), Poll::Pending);
    assert_eq!(request.timers(), (vec![30], 1));
    request.clock.advance(29);
    assert_eq!(request.poll(), Poll::Pending);
    request.clock.advance(1);
    assert_eq!(request.poll(), Poll::Ready(503));
    assert_eq!(request.timers(), (vec![30], 0));
}

#[test]
fn backend_that_waits_after_a_slow_body_is_503_at_the_limit() {
    let mut request = Request::new();
    assert_eq!(request.poll(), Poll::Pending);
    request.clock.advance(9);
    request.body.open();
    request.authenticator.open();
    assert_eq!(request.poll(), Poll::Pending);
    request.clock.advance(20);
    assert_eq!(request.poll(), Poll::Pending);
    request.clock.advance(1);
    assert_eq!(request.poll(), Poll::Ready(503));
    assert_eq!(request.timers(), (vec![10, 30], 0));
}

#[test]
fn time_before_the_first_wait_counts() {
    let mut request = Request::new();
    request.clock.advance(4);
    assert_eq!(request.poll(), Poll::Pending);
    assert_eq!(request.timers(), (vec![10], 1));
    request.clock.advance(5);
    assert_eq!(request.poll(), Poll::Pending);
    request.clock.advance(1);
    assert_eq!(request.poll(), Poll::Ready(408));
    assert_eq!(request.timers(), (vec![10], 0));
}

#[test]
fn limit_that_passed_before_the_first_wait_ends_the_request() {
    let mut request = Request::new();
    request.clock.advance(10);
    assert_eq!(request.poll(), Poll::Ready(408));

    let mut request = Request::new();
    request.body.open();
    request.clock.advance(30);
    assert_eq!(request.poll(), Poll::Ready(503));
}
