//! How long may the relay wait before it answers?
//!
//! A leaf has one request at its relay nearly all the time, which is answered as soon as there is
//! something new. It comes back in time for the next report.

use std::time::Duration;

use tokio::time::Instant;

use super::super::super::engine::{Ask, Cursor, History, Incarnation, Page};

#[derive(Debug)]
pub(super) struct Pace {
    /// The longest wait.
    interval: Duration,
    /// The end of the last answer.
    upto: Option<Cursor>,
    /// Whether the last answer made the leaf complete.
    is_settled: bool,
    /// The incarnation in which the leaf has everything, and when it last said so.
    healed: Option<(Incarnation, Instant)>,
}

impl Pace {
    pub(super) fn new(lease: Duration) -> Self {
        Self {
            interval: lease / 5,
            upto: None,
            is_settled: false,
            healed: None,
        }
    }

    /// The end of the last answer.
    pub(super) fn upto(&self) -> Option<Cursor> {
        self.upto
    }

    /// How long the relay may wait before it answers this poll.
    pub(super) fn wait(&mut self, ask: &Ask, now: Instant) -> Duration {
        if let Some(report) = &ask.report {
            self.healed = Some((report.healed, now));
        }
        let goes_on = self.upto == Some(ask.after);
        // Until there is an answer: what has failed is asked again without a wait.
        let was_settled = std::mem::take(&mut self.is_settled);
        match self.healed {
            Some((_, reported)) if goes_on && was_settled => {
                self.interval.saturating_sub(now - reported)
            }
            _ => Duration::ZERO,
        }
    }

    /// Returns whether to ask again at once.
    pub(super) fn answered(&mut self, wait: Duration, took: Duration, page: &Page) -> bool {
        let is_news = self.upto.replace(page.upto) != Some(page.upto);
        let is_whole = self
            .healed
            .is_some_and(|(incarnation, _)| incarnation == page.incarnation);
        let renews =
            page.membership.was_listed && !page.more && !page.membership.barrier && is_whole;
        self.is_settled = renews && page.history == History::Same;
        // A relay that does not wait must not be asked all the time.
        let has_waited = took >= wait / 2;
        self.is_settled && (is_news || has_waited)
    }
}
