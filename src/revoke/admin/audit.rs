//! One count and one event for every order, true to its outcome.

use super::AdminRequest;
#[cfg(feature = "tracing")]
use super::event;
use crate::log::{LogError, Position, SelectorClass};

/// An order that is being carried out. Dropped before its end, it says so.
pub(super) struct Audit {
    class: SelectorClass,
    #[cfg(feature = "tracing")]
    order: AdminRequest,
    ended: bool,
}

impl Audit {
    pub(super) fn begin(class: SelectorClass, order: AdminRequest) -> Self {
        #[cfg(not(feature = "tracing"))]
        drop(order);
        Self {
            class,
            #[cfg(feature = "tracing")]
            order,
            ended: false,
        }
    }

    pub(super) fn end(mut self, answer: Result<Position, &LogError>) {
        self.ended = true;
        match answer {
            Ok(position) => self.tell("revoked", Some(position), None),
            Err(error) => self.tell("failed", None, Some(error)),
        }
    }

    fn tell(&self, outcome: &'static str, position: Option<Position>, error: Option<&LogError>) {
        #[cfg(feature = "metrics")]
        metrics::counter!(
            "tower_revocation_admin_requests_total",
            "class" => self.class.as_str(), "outcome" => outcome
        )
        .increment(1);
        #[cfg(feature = "tracing")]
        event::order(&self.order, self.class, outcome, position, error);
        #[cfg(not(feature = "tracing"))]
        let _ = (position, error);
    }
}

impl Drop for Audit {
    /// Nobody waits for the answer any more. The log may nevertheless carry it out.
    fn drop(&mut self) {
        if !self.ended {
            let outcome = if std::thread::panicking() {
                "panicked"
            } else {
                "cancelled"
            };
            self.tell(outcome, None, None);
        }
    }
}
