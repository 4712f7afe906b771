//! A time-out for one side of a connection.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Sleep, sleep};

/// A time-out that runs only while somebody waits. Most connections never have to.
pub(super) struct Timer {
    limit: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, sleep: None }
    }

    pub(super) fn stop(&mut self) {
        self.sleep = None;
    }

    /// Starts the timer unless it runs. Fails if the time is over.
    pub(super) fn poll<R>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        let limit = self.limit;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(sleep.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}
