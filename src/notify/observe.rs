//! Series and events about telling issuers. Without the features `metrics` and `tracing` there are
//! none.

use std::{collections::BTreeMap, error::Error as StdError};

use super::delivery::{Deliveries, Delivery, Failure, State};
use crate::log::{LogError, NumericDate};

/// An attempt has ended.
pub(super) fn attempted(
    delivery: &Delivery,
    failure: Option<Failure>,
    error: Option<&(dyn StdError + Send + Sync + 'static)>,
    place: u64,
) {
    let outcome = failure.map_or("ended", |failure| failure.kind.as_str());
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_notices_total", "outcome" => outcome).increment(1);
    #[cfg(feature = "tracing")]
    {
        use crate::observe::{Causes, TARGET, truncated};
        // The level of an event is fixed at compile time, so there is one event for each level.
        macro_rules! event {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    target: TARGET,
                    outcome,
                    issuer = ?truncated(&delivery.issuer),
                    order = place,
                    attempts = delivery.attempts,
                    next = delivery.next,
                    cause = error.map(|error| tracing::field::display(Causes(error))),
                    $message
                )
            };
        }
        match delivery.state {
            State::Ended => event!(info, "an issuer was told of an order"),
            State::Pending => event!(warn, "an issuer was not told of an order yet"),
            State::Failed => event!(
                error,
                "an issuer was not told of an order, and is not tried again"
            ),
        }
    }
    let _ = (delivery, outcome, error, place, State::Failed);
}

/// The journal cannot be read or written.
pub(super) fn journal_failed(error: &LogError) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: crate::observe::TARGET,
        cause = %crate::observe::Causes(error),
        "the journal of orders failed: issuers are told later"
    );
    let _ = error;
}

/// Nobody can be told of this entry.
pub(super) fn unreadable(place: u64) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: crate::observe::TARGET,
        order = place,
        "an order cannot be read, and its issuer is not told"
    );
    let _ = place;
}

/// Sets how many entries are pending, and the age of the oldest in seconds.
pub(super) fn pending(entries: u64, oldest: u64) {
    #[cfg(feature = "metrics")]
    {
        let gauge = |value: u64| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
        metrics::gauge!("tower_revocation_notices_pending").set(gauge(entries));
        metrics::gauge!("tower_revocation_notices_oldest_seconds").set(gauge(oldest));
    }
    let _ = (entries, oldest);
}

/// The pending entries that this process has tried, for the age of the oldest.
#[derive(Default)]
pub(super) struct Oldest {
    /// When they were ordered, and until when they are believed to be pending, by place.
    pending: BTreeMap<u64, (NumericDate, NumericDate)>,
}

impl Oldest {
    /// How many are remembered: the oldest.
    const LIMIT: usize = 4096;

    pub(super) fn settled(&mut self, place: u64, deliveries: &Deliveries) {
        /// If it is not seen again until then, another process has taken it.
        const UNSEEN: std::time::Duration = std::time::Duration::from_secs(180);
        let Some(next) = deliveries.next() else {
            self.pending.remove(&place);
            return;
        };
        let ordered = NumericDate::new(deliveries.notice.ordered);
        self.pending.insert(place, (ordered, next + UNSEEN));
        if self.pending.len() > Self::LIMIT {
            self.pending.pop_last();
        }
    }

    /// The age of the oldest, in seconds. Zero if there is none.
    pub(super) fn age(&mut self) -> u64 {
        let now = NumericDate::now();
        self.pending.retain(|_, (_, until)| *until > now);
        let age = |(ordered, _): &(NumericDate, _)| now.since(*ordered);
        self.pending.values().map(age).max().unwrap_or_default()
    }
}
