//! The body of a request to the API. It notes which side is slow, and fails when the token ends.

#[cfg(test)]
mod tests;

use std::{
    future::Future as _,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::task::AtomicWaker;
use http_body_util::Full;
use hyper::{
    Response,
    body::{Body, Frame, SizeHint},
};
use tokio::time::Instant;
use tower::BoxError;

use super::tasks;
use crate::enforce::{End, TokenEnd, TokenLife};

/// The number of frames after which a body counts as a long one.
const SHORT: u8 = 8;

/// The body of a request to the API. It notes whether the client or the API is slow, and ends with the
/// token of the request.
pub(in crate::proxy) struct Upload<B> {
    body: B,
    /// `None` for a body that had ended before the request was sent.
    progress: Option<Progress>,
    guard: Guard,
    has_begun: bool,
}

/// How the end of the token is noticed.
enum Guard {
    /// Not at all: nothing cuts this body.
    None,
    /// The body may be a short one. The number counts the frames.
    Short(TokenLife, u8),
    Watching(TokenEnd),
}

impl Guard {
    /// Why the token has ended, if it has. Wakes the task when it ends later.
    fn poll(&mut self, cx: &mut Context<'_>) -> Option<End> {
        let end = match self {
            Self::None => return None,
            // The frame may have waited in memory since before the end.
            Self::Short(life, _) => return life.check(),
            Self::Watching(end) => end,
        };
        match Pin::new(end).poll(cx) {
            Poll::Ready(end) => Some(end),
            Poll::Pending => None,
        }
    }

    fn count(&mut self) {
        if let Self::Short(_, frames) = self {
            *frames += 1;
            if *frames == SHORT {
                self.watch();
            }
        }
    }

    fn watch(&mut self) {
        if let Self::Short(life, _) = self {
            *self = Self::Watching(life.end());
        }
    }
}

/// How far a body is. Clones are about the same body.
#[derive(Clone, Debug)]
pub(super) struct Progress(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    begun: Instant,
    /// When the API began to be slow, in milliseconds since `begun`, or [`CLIENT`].
    slow_since: AtomicU64,
    /// When the client last sent a part of it, in milliseconds since `begun`.
    last_frame: AtomicU64,
    failed: OnceLock<Failed>,
    /// Whether hyper needs nothing more of the body.
    has_ended: AtomicBool,
    /// Of the token of the request, if something cuts this body.
    life: Option<TokenLife>,
    /// Waits for the head of the response.
    response: AtomicWaker,
}

/// Why the API did not get the whole body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failed {
    Client,
    Token(End),
}

/// While the client is slow.
const CLIENT: u64 = u64::MAX;

impl Progress {
    fn new(life: Option<&TokenLife>) -> Self {
        Self(Arc::new(Shared {
            begun: Instant::now(),
            slow_since: AtomicU64::default(),
            last_frame: AtomicU64::default(),
            failed: OnceLock::new(),
            has_ended: AtomicBool::new(false),
            life: life.cloned(),
            response: AtomicWaker::new(),
        }))
    }

    /// The client is slow, so the time of the API does not run.
    fn wait_for_client(&self) {
        self.0.slow_since.store(CLIENT, Ordering::Relaxed);
    }

    /// From now on the time of the API runs.
    fn wait_for_api(&self) {
        let elapsed = self.0.begun.elapsed().as_millis();
        let elapsed = u64::try_from(elapsed).unwrap_or(CLIENT - 1);
        self.0.last_frame.store(elapsed, Ordering::Relaxed);
        self.0.slow_since.store(elapsed, Ordering::Relaxed);
    }

    /// Since when the client has sent nothing. `None` while the API is slow.
    pub(super) fn client_is_silent_since(&self) -> Option<Instant> {
        let is_slow = self.0.slow_since.load(Ordering::Relaxed) == CLIENT;
        let last = Duration::from_millis(self.0.last_frame.load(Ordering::Relaxed));
        is_slow.then(|| self.0.begun + last)
    }

    /// Since when the API has been slow. Until now, if the client is.
    pub(super) fn api_is_slow_since(&self) -> Instant {
        match self.0.slow_since.load(Ordering::Relaxed) {
            CLIENT => Instant::now(),
            elapsed => self.0.begun + Duration::from_millis(elapsed),
        }
    }

    /// Waits for the end of the token, if it can end before the body. Starts a watch.
    pub(super) fn token_end(&self) -> Option<TokenEnd> {
        let life = self.0.life.as_ref();
        life.filter(|_| !self.has_ended()).map(TokenLife::end)
    }

    /// Whether the body has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.0.has_ended.load(Ordering::Acquire)
    }

    fn fail(&self, failed: Failed) {
        // The first cause counts.
        let _ = self.0.failed.set(failed);
    }

    /// The token ended while the API did not read. The API may never respond.
    pub(super) fn cut(&self, end: End) {
        self.fail(Failed::Token(end));
        self.0.response.wake();
    }

    /// Why the API did not get the whole body, if that is known already. Wakes the task after a cut, and
    /// once the token ends.
    pub(super) fn poll_ended(
        &self,
        end: &mut Option<TokenEnd>,
        cx: &mut Context<'_>,
    ) -> Option<Failed> {
        self.0.response.register(cx.waker());
        // What follows is the time of the API. Its response is cut by the layer.
        let watched = end.as_mut().filter(|_| !self.has_ended());
        if let Some(Poll::Ready(end)) = watched.map(|end| Pin::new(end).poll(cx)) {
            self.fail(Failed::Token(end));
        }
        self.failed()
    }

    /// Why the API did not get the whole body. Not every error of hyper has its cause.
    pub(super) fn failed(&self) -> Option<Failed> {
        self.0.failed.get().copied()
    }

    /// What the layer that checked the token responds, if the token has ended before the body.
    pub(super) fn refusal(&self) -> Option<Response<Full<Bytes>>> {
        match (self.failed()?, &self.0.life) {
            (Failed::Token(end), Some(life)) => Some(life.refusal(end)),
            _ => None,
        }
    }
}

impl<B: Body> Upload<B> {
    /// The layer gives no life if its policy does not cut streams, or without a token.
    pub(super) fn new(body: B, life: Option<&TokenLife>) -> (Self, Option<Progress>) {
        let progress = (!body.is_end_stream()).then(|| Progress::new(life));
        let guard = match life {
            Some(life) if progress.is_some() => Guard::Short(life.clone(), 0),
            _ => Guard::None,
        };
        let upload = Self {
            body,
            progress: progress.clone(),
            guard,
            has_begun: false,
        };
        (upload, progress)
    }
}

impl<B> Upload<B> {
    /// Lets the task that sends the rest end with the token.
    fn begin(&mut self) {
        if self.has_begun {
            return;
        }
        self.has_begun = true;
        if let (Guard::Short(life, _), Some(progress)) = (&self.guard, &self.progress) {
            tasks::begin(life, progress);
        }
    }
}

impl<B> Drop for Upload<B> {
    fn drop(&mut self) {
        tasks::end();
        if let Some(progress) = &self.progress {
            progress.0.has_ended.store(true, Ordering::Release);
        }
    }
}

impl<B: Body> Upload<B> {
    fn fail(&self, failed: Failed) {
        if let Some(progress) = &self.progress {
            progress.fail(failed);
        }
    }

    fn cut(&self, end: End) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        self.fail(Failed::Token(end));
        Poll::Ready(Some(Err(end.into())))
    }
}

impl<B> Body for Upload<B>
where
    B: Body<Error: Into<BoxError>> + Unpin,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        self.begin();
        if let Some(end) = self.guard.poll(cx) {
            return self.cut(end);
        }
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Some(progress) = &self.progress {
            match polled {
                Poll::Pending => progress.wait_for_client(),
                // The API has to take this frame, or to respond to the whole.
                Poll::Ready(_) => progress.wait_for_api(),
            }
        }
        match polled {
            Poll::Ready(Some(Err(error))) => {
                self.fail(Failed::Client);
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(frame) => {
                self.guard.count();
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                self.guard.watch();
                match self.guard.poll(cx) {
                    Some(end) => self.cut(end),
                    None => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
