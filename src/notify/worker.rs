//! Tells issuers what is due in the journal, again and again.

use std::{sync::Arc, time::Duration};

use futures::{
    StreamExt as _,
    future::{BoxFuture, join_all},
    stream::FuturesUnordered,
};
use tokio::time::{Instant, sleep_until, timeout};
use tower::{BoxError, ServiceExt as _};

use super::{
    Notice, NotifyError, NotifyErrorKind, Recipients, Shared, backoff,
    content::Content,
    delivery::Failure,
    observe::{self, Oldest},
    pace::{Pace, SHARE},
};
use crate::log::{Journal, JournalChange, JournalEntry, NumericDate};

/// How many entries there are in work at once.
const MAX_RUNNING: usize = 64;
/// How long to wait before looking whether something is due. Orders of this process are not waited
/// for.
const POLL: Duration = Duration::from_secs(1);
/// The same while there is more than can be done.
const BUSY: Duration = Duration::from_millis(100);
/// How long to wait before counting what is pending, for the series.
const COUNT: Duration = Duration::from_secs(5);
/// How long to wait after the journal has failed.
const FAILED: Duration = Duration::from_secs(5);
/// How long to leave an entry to the processes that can tell its issuer.
const LEFT: u64 = 15;
/// How long to wait before an entry that cannot be read is looked at again. A later version of this
/// process may read it.
const UNREADABLE: Duration = Duration::from_secs(60 * 60);
/// The longest attempt.
const ATTEMPT: Duration = Duration::from_secs(50);
/// Another process takes an entry that is not finished after this time. Longer than an attempt.
const LEASE: Duration = Duration::from_secs(60);
/// How long attempts may take once the process ends.
const STOP: Duration = Duration::from_secs(5);

pub(super) struct Worker {
    shared: Arc<Shared>,
    journal: Arc<dyn Journal>,
    running: FuturesUnordered<BoxFuture<'static, Settled>>,
    pace: Pace,
    oldest: Oldest,
    look_at: Instant,
    count_at: Instant,
    /// Whether the last look has found as much as it may.
    is_busy: bool,
}

/// An entry whose attempts have ended.
struct Settled {
    place: u64,
    attempts: Vec<Attempted>,
    content: Content,
    /// Whether the outcome is in the journal.
    is_kept: bool,
}

/// The end of an attempt.
struct Attempted {
    /// Which of the deliveries.
    number: usize,
    result: Result<(), Failure>,
    error: Option<BoxError>,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, journal: Arc<dyn Journal>) -> Self {
        Self {
            shared,
            journal,
            running: FuturesUnordered::new(),
            pace: Pace::default(),
            oldest: Oldest::default(),
            look_at: Instant::now(),
            count_at: Instant::now(),
            is_busy: false,
        }
    }

    /// Returns when it is stopped.
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut stopped = shared.stopped.subscribe();
        loop {
            let now = Instant::now();
            if self.look_at <= now && self.running.len() < MAX_RUNNING {
                self.look_at = now + self.look().await;
            }
            let sleep = sleep_until(self.look_at);
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => break,
                Some(settled) = self.running.next() => {
                    self.settled(&settled);
                    if self.is_busy {
                        self.look_at = Instant::now();
                    }
                }
                () = shared.wake.notified() => {
                    // Otherwise the end of an attempt leads to a look.
                    self.is_busy |= self.pace.room() == 0;
                    if self.pace.room() > 0 {
                        self.look_at = Instant::now();
                    }
                }
                () = sleep, if self.running.len() < MAX_RUNNING => {}
            }
        }
        let rest = async {
            while let Some(settled) = self.running.next().await {
                self.settled(&settled);
            }
        };
        // What is not finished is due again after its lease.
        let _ = timeout(STOP, rest).await;
    }

    /// Begins what is due. Returns how long to wait before the next look.
    async fn look(&mut self) -> Duration {
        if self.shared.recipients().is_empty() {
            return POLL;
        }
        // At least one: what belongs to an issuer that has no room is put off, so that those behind it
        // are seen.
        let room = if self.is_busy && self.pace.room() == 0 {
            MAX_RUNNING
        } else {
            self.pace.room().max(1)
        };
        let limit = room.min(MAX_RUNNING - self.running.len());
        let taken = match self.journal.take_due(limit, LEASE).await {
            Ok(taken) => taken,
            Err(error) => {
                observe::journal_failed(&error);
                return FAILED;
            }
        };
        self.is_busy = taken.len() == limit;
        let changes: Vec<_> = taken.into_iter().filter_map(|it| self.begin(it)).collect();
        if !changes.is_empty() {
            if let Err(error) = self.journal.replace(changes).await {
                observe::journal_failed(&error);
            }
        }
        if self.count_at <= Instant::now() {
            self.count_at = Instant::now() + COUNT;
            self.count().await;
        }
        match self.is_busy {
            // The end of an attempt leads to a look too.
            true if self.pace.room() == 0 => BUSY,
            true => Duration::ZERO,
            false => POLL,
        }
    }

    async fn count(&mut self) {
        match self.journal.waiting().await {
            Ok(waiting) => observe::pending(waiting, self.oldest.age()),
            Err(error) => observe::journal_failed(&error),
        }
    }

    /// Begins the attempts of an entry. Returns the change of the entry if there is none.
    fn begin(&mut self, entry: JournalEntry) -> Option<JournalChange> {
        let Some(mut content) = Content::read(&entry.content) else {
            observe::unreadable(entry.place);
            let content = entry.content.clone();
            let again = NumericDate::now() + UNREADABLE;
            return Some(entry.change(content, Some(again)));
        };
        let now = NumericDate::now();
        let recipients = self.shared.recipients();
        let due: Vec<_> = content.deliveries.due(now).collect();
        let mut calls = Vec::new();
        for (number, notice) in due {
            let delivery = &mut content.deliveries.to[number];
            if recipients.of(&delivery.issuer).is_none() {
                // Another process may tell it. The pause is random, so that it takes the entry first
                // at some time.
                let pause = Duration::from_secs(LEFT + backoff::up_to(LEFT));
                delivery.postpone(now + pause);
                continue;
            }
            match self.pace.begin(&delivery.issuer, now) {
                Ok(()) => calls.push(call(number, notice, &recipients)),
                Err(later) => delivery.postpone(later),
            }
        }
        if calls.is_empty() {
            let next = content.deliveries.next();
            return content.write().map(|written| entry.change(written, next));
        }
        let journal = Arc::clone(&self.journal);
        let give_up_after = self.shared.give_up_after;
        let settled = async move {
            let attempts = join_all(calls).await;
            let now = NumericDate::now();
            let deadline = NumericDate::new(content.deliveries.notice.ordered) + give_up_after;
            for attempt in &attempts {
                let delivery = &mut content.deliveries.to[attempt.number];
                delivery.settle(attempt.result, now, deadline);
            }
            Settled {
                place: entry.place,
                is_kept: keep(&*journal, &entry, &content).await,
                attempts,
                content,
            }
        };
        self.running.push(Box::pin(settled));
        None
    }

    fn settled(&mut self, settled: &Settled) {
        let now = NumericDate::now();
        let deliveries = &settled.content.deliveries;
        for attempt in &settled.attempts {
            let delivery = &deliveries.to[attempt.number];
            self.pace.end(&delivery.issuer, attempt.result, now);
            observe::attempted(
                delivery,
                attempt.result.err(),
                attempt.error.as_deref(),
                settled.place,
            );
        }
        // One that is not kept is due again, here or in another process.
        if settled.is_kept {
            self.oldest.settled(settled.place, deliveries);
        }
    }
}

/// Tells one issuer.
fn call(
    number: usize,
    notice: Option<Notice>,
    recipients: &Recipients,
) -> BoxFuture<'static, Attempted> {
    let ended = move |result: Result<(), BoxError>| {
        let failure = |error: &BoxError| {
            let (kind, retry_after) = NotifyError::in_chain(&**error);
            Failure { kind, retry_after }
        };
        Attempted {
            number,
            result: result.as_ref().map_err(failure).copied(),
            error: result.err(),
        }
    };
    let Some(notice) = notice else {
        let error = NotifyError::new(NotifyErrorKind::Unsupported);
        return Box::pin(async move { ended(Err(error.into())) });
    };
    let Some(recipient) = recipients.of(&notice.issuer) else {
        let error = NotifyError::configuration("nothing tells this issuer any more");
        return Box::pin(async move { ended(Err(error.into())) });
    };
    let told = timeout(ATTEMPT, recipient.service.clone().oneshot(notice));
    Box::pin(async move {
        ended(match told.await {
            Ok(result) => result,
            Err(elapsed) => {
                let error = NotifyError::new(NotifyErrorKind::TimedOut);
                Err(error.caused_by(elapsed).into())
            }
        })
    })
}

/// Writes the outcome. `false` if it is not in the journal.
async fn keep(journal: &dyn Journal, entry: &JournalEntry, content: &Content) -> bool {
    let Some(written) = content.write() else {
        return false;
    };
    let change = entry.change(written, content.deliveries.next());
    match journal.replace(vec![change]).await {
        Ok(replaced) => replaced == [true],
        Err(error) => {
            observe::journal_failed(&error);
            false
        }
    }
}

const _: () = assert!(SHARE <= MAX_RUNNING && ATTEMPT.as_secs() < LEASE.as_secs());
