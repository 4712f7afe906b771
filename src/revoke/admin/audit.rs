//! One count and one event for every administrative request, whatever its outcome.
//!
//! Without `tracing` and `metrics` it does nothing.

use super::AdminRequest;
#[cfg(feature = "tracing")]
use super::event;
use crate::log::{LogError, Position, SelectorClass};

/// A request that is being carried out. If it is dropped before its end, it reports that.
pub(super) struct Audit {
    class: SelectorClass,
    #[cfg(feature = "tracing")]
    request: AdminRequest,
    ended: bool,
}

impl Audit {
    pub(super) fn begin(class: SelectorClass, request: AdminRequest) -> Self {
        #[cfg(not(feature = "tracing"))]
        drop(request);
        Self {
            class,
            #[cfg(feature = "tracing")]
            request,
            ended: false,
        }
    }

    pub(super) fn end(mut self, result: Result<Position, &LogError>) {
        self.ended = true;
        match result {
            Ok(position) => self.report("revoked", Some(position), None),
            Err(error) => self.report("failed", None, Some(error)),
        }
    }

    fn report(&self, outcome: &'static str, position: Option<Position>, error: Option<&LogError>) {
        #[cfg(feature = "metrics")]
        metrics::counter!(
            "tower_revocation_admin_requests_total",
            "class" => self.class.as_str(), "outcome" => outcome
        )
        .increment(1);
        #[cfg(feature = "tracing")]
        event::emit(&self.request, self.class, outcome, position, error);
        let _ = (self.class, outcome, position, error);
    }
}

impl Drop for Audit {
    /// The caller has dropped the future. The log may carry out the request nevertheless.
    fn drop(&mut self) {
        if !self.ended {
            let outcome = if std::thread::panicking() {
                "panicked"
            } else {
                "cancelled"
            };
            self.report(outcome, None, None);
        }
    }
}
