//! How long is too long?

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use hyper::rt::{Sleep, Timer};

/// The time-outs, and what measures them. Without a timer there are none.
#[derive(Clone)]
pub(crate) struct Patience {
    timer: Option<Arc<dyn Timer + Send + Sync>>,
    pub(crate) body: Duration,
    pub(crate) conversation: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            timer: None,
            body: Duration::from_secs(10),
            conversation: Duration::from_secs(30),
        }
    }
}

impl Patience {
    pub(crate) fn timer(&mut self, timer: impl Timer + Send + Sync + 'static) {
        self.timer = Some(Arc::new(timer));
    }

    /// Begins to wait for a body.
    pub(super) fn begin(&self) -> Option<Deadline> {
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

/// A duration that no clock can hold is as good as a very long one.
fn after(now: Instant, duration: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    now.checked_add(duration).unwrap_or_else(|| now + YEAR)
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience")
            .field("timer", &self.timer.is_some())
            .field("body", &self.body)
            .field("conversation", &self.conversation)
            .finish()
    }
}

/// The moment at which waiting ends.
pub(super) struct Deadline {
    timer: Arc<dyn Timer + Send + Sync>,
    at: Instant,
    conversation: Instant,
    /// Made only once there is something to wait for.
    sleep: Option<Pin<Box<dyn Sleep>>>,
}

impl Deadline {
    /// The body is there: only the whole conversation has an end now.
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
