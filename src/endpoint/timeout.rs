//! The time-outs of a request.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use hyper::rt::{Sleep, Timer};

/// The configured time-outs. Without a timer none applies.
#[derive(Clone)]
pub(crate) struct Timeouts {
    timer: Option<Arc<dyn Timer + Send + Sync>>,
    pub(crate) body: Duration,
    pub(crate) conversation: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            timer: None,
            body: Duration::from_secs(10),
            conversation: Duration::from_secs(30),
        }
    }
}

impl Timeouts {
    pub(crate) fn timer(&mut self, timer: impl Timer + Send + Sync + 'static) {
        self.timer = Some(Arc::new(timer));
    }

    /// The deadline of a request that starts now, first for its body.
    pub(super) fn start(&self) -> Option<Deadline> {
        let timer = self.timer.clone()?;
        let now = timer.now();
        let conversation = after(now, self.conversation);
        Some(Deadline {
            at: after(now, self.body).min(conversation),
            conversation,
            timer,
            sleep: None,
        })
    }
}

/// Adds a duration. One that overflows the clock becomes a year.
fn after(now: Instant, duration: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    now.checked_add(duration).unwrap_or_else(|| now + YEAR)
}

impl fmt::Debug for Timeouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeouts")
            .field("timer", &self.timer.is_some())
            .field("body", &self.body)
            .field("conversation", &self.conversation)
            .finish()
    }
}

/// The deadline of one request.
pub(super) struct Deadline {
    timer: Arc<dyn Timer + Send + Sync>,
    at: Instant,
    conversation: Instant,
    /// Created by the first `poll`.
    sleep: Option<Pin<Box<dyn Sleep>>>,
}

impl Deadline {
    /// Ends the time-out for the body. The one for the whole request remains.
    pub(super) fn body_read(&mut self) {
        self.at = self.conversation;
        if let Some(sleep) = &mut self.sleep {
            self.timer.reset(sleep, self.at);
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self
            .sleep
            .get_or_insert_with(|| self.timer.sleep_until(self.at));
        sleep.as_mut().poll(cx)
    }
}
