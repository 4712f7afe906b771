//! How often is the other server asked, with what result, and how often is it spared?

use tokio::time::Instant;

use super::UpstreamError;
use crate::introspect::Introspected;

/// What came of looking into the cache.
#[derive(Clone, Copy, Debug)]
pub(super) enum LookUp {
    Hit,
    Miss,
    /// Somebody is asking about the token already.
    Joined,
}

/// Somebody has looked into the cache.
#[cfg(feature = "metrics")]
pub(super) fn looked_up(look_up: LookUp) {
    // A literal label costs no memory.
    macro_rules! count {
        ($result:literal) => {
            metrics::counter!(
                "tower_revocation_upstream_cache_lookups_total",
                "result" => $result
            )
            .increment(1)
        };
    }
    match look_up {
        LookUp::Hit => count!("hit"),
        LookUp::Miss => count!("miss"),
        LookUp::Joined => count!("joined"),
    }
}

/// An answer was kept, and there are so many now.
#[cfg(feature = "metrics")]
pub(super) fn kept(entries: usize) {
    let entries = f64::from(u32::try_from(entries).unwrap_or(u32::MAX));
    metrics::gauge!("tower_revocation_upstream_cache_entries").set(entries);
}

/// One request to the other server. Dropped before its end, nobody waits for it any more.
#[cfg(feature = "metrics")]
pub(super) struct Request {
    began: Instant,
    is_answered: bool,
}

#[cfg(feature = "metrics")]
impl Request {
    pub(super) fn begin(began: Instant) -> Self {
        Self {
            began,
            is_answered: false,
        }
    }

    pub(super) fn end(mut self, answer: Result<&Introspected, &UpstreamError>) {
        self.is_answered = true;
        self.count(match answer {
            Ok(Introspected::Token(_)) => "active",
            Ok(Introspected::Unhandled { .. }) => "unhandled",
            Ok(Introspected::Unrecognised(_)) => "inactive",
            Err(error) => error.kind().as_str(),
        });
    }

    fn count(&self, result: &'static str) {
        metrics::counter!(
            "tower_revocation_upstream_introspections_total",
            "result" => result
        )
        .increment(1);
        metrics::histogram!(
            "tower_revocation_upstream_introspection_duration_seconds",
            "result" => result
        )
        .record(self.began.elapsed());
    }
}

#[cfg(feature = "metrics")]
impl Drop for Request {
    fn drop(&mut self) {
        if !self.is_answered {
            self.count("abandoned");
        }
    }
}

#[cfg(not(feature = "metrics"))]
pub(super) fn looked_up(_: LookUp) {}

#[cfg(not(feature = "metrics"))]
pub(super) fn kept(_: usize) {}

#[cfg(not(feature = "metrics"))]
pub(super) struct Request;

#[cfg(not(feature = "metrics"))]
impl Request {
    pub(super) fn begin(_: Instant) -> Self {
        Self
    }

    pub(super) fn end(self, answer: Result<&Introspected, &UpstreamError>) {
        let (Self, _) = (self, answer);
    }
}
