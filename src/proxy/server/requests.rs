//! The requests in flight on one connection, and those that its peer gave up.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::streams::Turn;
use crate::proxy::observe::refused_connection;

/// As good as for ever: the clock has no much later times.
const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The requests of one connection.
#[derive(Clone)]
pub(super) struct Requests(Arc<Counts>);

struct Counts {
    begun: Instant,
    in_flight: AtomicUsize,
    /// When the last one ended, in milliseconds since `begun`.
    last_end: AtomicU64,
    /// Whether the peer has not taken all bytes that were sent. hyper drops the body of a response before
    /// its last bytes are written.
    is_writing: AtomicBool,
    answered: AtomicU64,
    given_up: AtomicU64,
    /// How many the peer may give up before as many have a response.
    max_given_up: u64,
    flood: Notify,
    has_to_give_way: AtomicBool,
    give_way: Notify,
}

impl Requests {
    pub(super) fn new(max_given_up: u64) -> Self {
        Self(Arc::new(Counts {
            begun: Instant::now(),
            in_flight: AtomicUsize::new(0),
            last_end: AtomicU64::new(0),
            is_writing: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            max_given_up,
            flood: Notify::new(),
            has_to_give_way: AtomicBool::new(false),
            give_way: Notify::new(),
        }))
    }

    /// Counts one more request, until the value is dropped.
    pub(super) fn begin(&self) -> InFlight {
        self.0.in_flight.fetch_add(1, Ordering::AcqRel);
        InFlight {
            counts: self.0.clone(),
            is_answered: false,
        }
    }

    /// Notes whether the peer has to take bytes before more can be written.
    pub(super) fn is_writing(&self, is_writing: bool) {
        let before = self.0.is_writing.load(Ordering::Relaxed);
        if before == is_writing {
            return;
        }
        if !is_writing {
            self.0.note_end();
        }
        self.0.is_writing.store(is_writing, Ordering::Release);
    }

    /// Waits until there has been no request for this long from now on.
    pub(super) async fn idle(&self, limit: Duration) {
        let counts = &*self.0;
        let limit = limit.min(LONGEST);
        let mut due = Instant::now() + limit;
        loop {
            sleep_until(due).await;
            let idle_since = counts.idle_since().unwrap_or_else(Instant::now);
            if idle_since + limit <= due {
                return;
            }
            due = idle_since + limit;
        }
    }

    /// Since when there has been no request. `None` if there is one, or if the connection ends already.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let ends = self.0.has_to_give_way.load(Ordering::Relaxed);
        self.0.idle_since().filter(|_| !ends)
    }

    /// Asks the connection to end, because others wait.
    pub(super) fn give_way(&self) {
        self.0.has_to_give_way.store(true, Ordering::Relaxed);
        self.0.give_way.notify_one();
    }

    /// Waits until the connection has to end, because others wait.
    pub(super) async fn gives_way(&self) {
        self.0.give_way.notified().await;
        refused_connection("idle");
    }

    /// Waits until the peer has given up more requests than it has let end. Each costs work here,
    /// and the limit of concurrent streams does not count them.
    pub(super) async fn flood(&self) {
        self.0.flood.notified().await;
        refused_connection("flood");
    }
}

impl Counts {
    fn idle_since(&self) -> Option<Instant> {
        // First: a request that ends meanwhile has noted its end before.
        let is_idle =
            self.in_flight.load(Ordering::Acquire) == 0 && !self.is_writing.load(Ordering::Acquire);
        let last_end = Duration::from_millis(self.last_end.load(Ordering::Acquire));
        is_idle.then(|| self.begun + last_end)
    }

    fn note_end(&self) {
        let elapsed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_end.store(elapsed, Ordering::Release);
    }
}

/// One request of [`Requests`].
pub(super) struct InFlight {
    counts: Arc<Counts>,
    is_answered: bool,
}

impl InFlight {
    /// The head of the response is there.
    pub(super) fn answered(&mut self) {
        self.is_answered = true;
        self.counts.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// The request is in flight until this body of its response has ended.
    pub(super) fn until_the_end_of<B>(self, body: B) -> Counted<B> {
        Counted {
            body,
            _in_flight: self,
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let counts = &*self.counts;
        if !self.is_answered {
            let given_up = counts.given_up.fetch_add(1, Ordering::Relaxed) + 1;
            if given_up
                > counts
                    .max_given_up
                    .max(counts.answered.load(Ordering::Relaxed))
            {
                counts.flood.notify_one();
            }
        }
        counts.note_end();
        counts.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

pin_project! {
    /// The body of a response.
    pub(super) struct Counted<B> {
        #[pin]
        body: B,
        _in_flight: InFlight,
    }
}

impl<B: Body> Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = self.project().body.poll_frame(cx);
        match polled {
            Poll::Ready(_) => Turn::Peer.note(),
            Poll::Pending => Turn::Body.note(),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt as _;
    use tokio::time::{Instant, sleep};

    use super::Requests;

    const GIVEN_UP: u64 = 100;

    #[tokio::test]
    async fn longest_limit_does_not_overflow() {
        let requests = Requests::new(GIVEN_UP);
        assert!(requests.idle(Duration::MAX).now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn connection_is_idle_after_the_last_response() {
        let requests = Requests::new(GIVEN_UP);
        let begun = Instant::now();
        let ends = tokio::spawn({
            let request = requests.begin();
            async move {
                sleep(Duration::from_secs(61)).await;
                drop(request);
            }
        });
        requests.idle(Duration::from_secs(60)).await;
        assert_eq!(begun.elapsed().as_secs(), 121);
        ends.await.unwrap();
        // It counts from now on.
        requests.idle(Duration::from_secs(5)).await;
        assert_eq!(begun.elapsed().as_secs(), 126);
    }

    #[tokio::test(start_paused = true)]
    async fn connection_is_not_idle_while_its_peer_reads() {
        let requests = Requests::new(GIVEN_UP);
        let begun = Instant::now();
        requests.is_writing(true);
        assert_eq!(requests.idle_since(), None);
        let reads = tokio::spawn({
            let requests = requests.clone();
            async move {
                sleep(Duration::from_secs(61)).await;
                requests.is_writing(false);
            }
        });
        requests.idle(Duration::from_secs(60)).await;
        assert_eq!(begun.elapsed().as_secs(), 121);
        reads.await.unwrap();
    }

    #[test]
    fn more_resets_than_responses_are_a_flood() {
        let requests = Requests::new(GIVEN_UP);
        let give_up = |times| (0..times).for_each(|_| drop(requests.begin()));
        give_up(GIVEN_UP);
        assert!(requests.flood().now_or_never().is_none());
        give_up(1);
        assert!(requests.flood().now_or_never().is_some());

        let requests = Requests::new(GIVEN_UP);
        let give_up = |times| (0..times).for_each(|_| drop(requests.begin()));
        for _ in 0..2 * GIVEN_UP {
            requests.begin().answered();
        }
        give_up(2 * GIVEN_UP);
        assert!(requests.flood().now_or_never().is_none());
        give_up(1);
        assert!(requests.flood().now_or_never().is_some());
    }
}
