//! The body of a request to the API, and for whom it waits.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// The body of a request to the API. It notes whether the client or the API is slow.
pub(in crate::proxy) struct Upload<B> {
    body: B,
    /// `None` for a body that had ended before the request was sent.
    progress: Option<Progress>,
}

/// How far a body is. Clones are about the same body.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    begun: Instant,
    shared: Arc<AtomicU64>,
}

/// While the client is slow.
const CLIENT: u64 = u64::MAX;

impl Progress {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            shared: Arc::default(),
        }
    }

    /// The client is slow, so the time of the API does not run.
    fn wait_for_client(&self) {
        self.shared.store(CLIENT, Ordering::Relaxed);
    }

    /// From now on the time of the API runs.
    fn wait_for_api(&self) {
        let elapsed = self.begun.elapsed().as_millis();
        let elapsed = u64::try_from(elapsed).unwrap_or(CLIENT - 1);
        self.shared.store(elapsed, Ordering::Relaxed);
    }

    /// Since when the API has been slow. Until now, if the client is.
    pub(super) fn api_is_slow_since(&self) -> Instant {
        match self.shared.load(Ordering::Relaxed) {
            CLIENT => Instant::now(),
            elapsed => self.begun + Duration::from_millis(elapsed),
        }
    }
}

impl<B: Body> Upload<B> {
    pub(super) fn new(body: B) -> (Self, Option<Progress>) {
        let progress = (!body.is_end_stream()).then(Progress::new);
        let upload = Self {
            body,
            progress: progress.clone(),
        };
        (upload, progress)
    }
}

impl<B: Body + Unpin> Body for Upload<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Some(progress) = &self.progress {
            match polled {
                Poll::Pending => progress.wait_for_client(),
                // The API has to take this frame, or to respond to the whole.
                Poll::Ready(_) => progress.wait_for_api(),
            }
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
