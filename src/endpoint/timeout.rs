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

    /// The time by the clock of the timer, if there is one.
    pub(super) fn now(&self) -> Instant {
        match &self.timer {
            Some(timer) => timer.now(),
            None => Instant::now(),
        }
    }

    /// The deadlines of a request.
    pub(super) fn start(&self, started: impl FnOnce() -> Instant) -> Option<Deadline> {
        self.timer.as_ref().map(|_| Deadline {
            started: started(),
            armed: None,
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

/// What a request waits for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wait {
    /// The peer, which sends the body.
    Body,
    /// The authenticator or the backend.
    Service,
}

/// The deadlines of one request. They count from its head, and share one timer.
pub(super) struct Deadline {
    started: Instant,
    armed: Option<Armed>,
}

struct Armed {
    at: Instant,
    sleep: Pin<Box<dyn Sleep>>,
}

impl Deadline {
    /// Waits until the time is over. Arms the timer, so call it only if the request has to wait.
    pub(super) fn poll(
        &mut self,
        timeouts: &Timeouts,
        wait: Wait,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let Some(timer) = &timeouts.timer else {
            return Poll::Pending;
        };
        let limit = match wait {
            Wait::Body => timeouts.body.min(timeouts.conversation),
            Wait::Service => timeouts.conversation,
        };
        let at = after(self.started, limit);
        let armed = self.armed.get_or_insert_with(|| Armed {
            at,
            sleep: timer.sleep_until(at),
        });
        if armed.at != at {
            timer.reset(&mut armed.sleep, at);
            armed.at = at;
        }
        armed.sleep.as_mut().poll(cx)
    }
}
