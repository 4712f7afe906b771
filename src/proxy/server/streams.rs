//! Ends an HTTP/2 stream whose peer reads nothing of it.
//!
//! The time-out of a connection does not notice such a peer: it reads frames, answers pings, and only
//! keeps the window of the stream at zero.
//!
//! Two cases stay, because hyper and h2 do not say how much of a stream has been sent:
//!
//! * hyper hands the last frame of a body to h2 and drops its handle of the stream. The future that is
//!   spawned here has ended then, so nothing can reset the stream. The connection ends at its idle
//!   limit.
//! * Several streams that share a slow link wait for each other. That bytes pass on the connection does
//!   not tell which streams its peer holds up: a peer that reads one stream could hold up all others.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

tokio::task_local! {
    /// What the body of the response has said while the stream was polled.
    static TURN: Cell<Turn>;
}

/// Who has to act next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Turn {
    #[default]
    Unchanged,
    /// There is a frame, and the peer has to make room for it.
    Peer,
    /// The body has no frame yet.
    Body,
}

impl Turn {
    /// Notes this for the stream that is polled. HTTP/1.1 has none, and its connection has a time-out.
    pub(super) fn note(self) {
        let _ = TURN.try_with(|turn| turn.set(self));
    }
}

/// Spawns the streams of an HTTP/2 connection, and drops those whose peer reads nothing for this long.
/// hyper then resets the stream.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    pub(super) write_timeout: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let limited = Limited {
            stream,
            limit: self.write_timeout,
            due: None,
            sleep: None,
        };
        tokio::spawn(TURN.scope(Cell::default(), limited));
    }
}

pin_project! {
    /// A stream that ends without an output once its peer has read nothing for the limit.
    struct Limited<F> {
        #[pin]
        stream: F,
        limit: Duration,
        // While it is the turn of the peer.
        due: Option<Instant>,
        // Most streams never have to wait for their peer.
        sleep: Option<Pin<Box<Sleep>>>,
    }
}

impl<F: Future> Future for Limited<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.stream.poll(cx) {
            return Poll::Ready(Some(output));
        }
        match TURN.with(Cell::take) {
            Turn::Unchanged => {}
            // A limit beyond the end of the clock is none.
            Turn::Peer => *this.due = Instant::now().checked_add(*this.limit),
            Turn::Body => *this.due = None,
        }
        let Some(due) = *this.due else {
            return Poll::Pending;
        };
        let sleep = this.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
        // It may still run for an earlier frame. It is set anew only once that is over.
        while sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= due {
                return Poll::Ready(None);
            }
            sleep.as_mut().reset(due);
        }
        Poll::Pending
    }
}
