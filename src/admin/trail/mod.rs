//! The orders that a server keeps.

mod entry;
mod export;
mod key;
#[cfg(feature = "notify")]
mod notices;
mod page;

use std::{fmt, sync::Arc, time::Duration};

use self::entry::parse_id;
pub(super) use self::{
    entry::{Entry, FAILED, REVOKED, fingerprint},
    key::IdempotencyKey,
    page::PageQuery,
};
use super::{
    Receipt, TrailEntry,
    problem::Refusal,
    response::{RETRY_AFTER, unavailable},
};
use crate::log::{
    Journal, JournalChange, JournalEntry, JournalWrite, LogError, NewJournalEntry, NumericDate,
};
#[cfg(feature = "notify")]
use crate::notify::Notifier;

/// How often the outcome of an order is written that others change at the same time.
const ATTEMPTS: usize = 5;

/// Keeps every order in a [`Journal`]: who ordered what and why, when, and what came of it.
///
/// An order is written before it is carried out, and its outcome afterwards. **If the journal cannot
/// be written, the response is 503**: no order is carried out that is not kept, and to repeat one
/// does no harm. Dry runs and refused orders are not kept.
///
/// With a trail, [`AdminService`](super::AdminService) also serves the kept orders, and accepts
/// `Idempotency-Key`: see [the module](super).
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::{admin::Trail, log::MemoryJournal};
///
/// let trail = Trail::new(MemoryJournal::new()).keep(Duration::from_secs(90 * 24 * 60 * 60));
/// ```
#[derive(Clone)]
pub struct Trail {
    journal: Arc<dyn Journal>,
    keep: Duration,
    #[cfg(feature = "notify")]
    notifier: Option<Notifier>,
}

/// An order that is written. Its outcome is not.
pub(super) struct Begun {
    /// Where it is. Without the content.
    at: JournalEntry,
    pub(super) entry: Entry,
    /// Whether another request has written it.
    is_earlier: bool,
}

impl Trail {
    /// Keeps the orders in this journal. Use the one of the log, so that a backup has both.
    #[must_use]
    pub fn new(journal: impl Journal + 'static) -> Self {
        Self {
            journal: Arc::new(journal),
            keep: Duration::from_secs(400 * 24 * 60 * 60),
            #[cfg(feature = "notify")]
            notifier: None,
        }
    }

    /// Sets how long an order is kept. Defaults to 400 days. It applies to later orders. An order of
    /// which an issuer has to be told is kept until a day after that is given up, if this is later.
    ///
    /// # Panics
    ///
    /// Panics if it is less than a second.
    #[must_use]
    pub fn keep(mut self, time: Duration) -> Self {
        assert!(time >= Duration::from_secs(1), "no order is kept");
        self.keep = time;
        self
    }

    /// The order with this key.
    pub(super) async fn find(&self, key: [u8; 32]) -> Result<Option<Begun>, Refusal> {
        let found = self.journal.find(key).await;
        let found = found.map_err(|error| unavailable(&error))?;
        // The key is in use, by what cannot be read.
        let read = |at| Begun::read(at).ok_or(UNREADABLE);
        found.map(read).transpose()
    }

    /// Writes orders that will be carried out, all or none. Those whose key has an order already are
    /// not written: the earlier order takes their place.
    pub(super) async fn begin(
        &self,
        orders: Vec<(Entry, Option<[u8; 32]>)>,
    ) -> Result<Vec<Begun>, Refusal> {
        let now = NumericDate::now();
        let new = orders.iter().map(|(entry, key)| {
            let mut new = NewJournalEntry::new(entry.content(), now + self.keep);
            new.key = *key;
            #[cfg(feature = "notify")]
            self.promise(entry, &mut new, now);
            new
        });
        let new: Vec<_> = new.collect();
        let due: Vec<_> = new.iter().map(|new| new.due).collect();
        let writes = self.journal.write(new).await;
        let writes = writes.map_err(|error| unavailable(&error))?;
        let begun = writes.into_iter().zip(orders.into_iter().zip(due)).map(
            |(write, ((entry, _), due))| match write {
                JournalWrite::Written(place) => {
                    let at = JournalEntry::new(place, 0, Vec::new(), due);
                    let is_earlier = false;
                    Ok(Begun {
                        at,
                        entry,
                        is_earlier,
                    })
                }
                JournalWrite::Earlier(at) => Begun::read(at).ok_or(UNREADABLE),
            },
        );
        begun.collect()
    }

    /// Writes the outcomes of orders. Another request may have carried out one of them, and have
    /// written its own: then that is the outcome.
    pub(super) async fn end(&self, orders: &mut [&mut Begun]) -> Result<(), Refusal> {
        let changes = orders.iter().map(|begun| begun.change());
        let replaced = self.replace(changes.collect()).await?;
        #[cfg(feature = "notify")]
        self.wake();
        for (begun, is_replaced) in orders.iter_mut().zip(replaced) {
            if !is_replaced {
                self.end_changed(begun).await?;
            }
        }
        Ok(())
    }

    /// Writes the outcome of an order whose entry was changed since it was read.
    async fn end_changed(&self, begun: &mut Begun) -> Result<(), Refusal> {
        for _ in 0..ATTEMPTS {
            let now = self.journal.get(begun.at.place).await;
            let now = now.map_err(|error| unavailable(&error))?;
            let Some(now) = now.and_then(Begun::read) else {
                break;
            };
            if now.receipt().is_some() {
                *begun = now;
                return Ok(());
            }
            // Nobody is told of an order without a receipt, so what the other one has is not newer.
            begun.at = JournalEntry {
                due: begun.at.due,
                ..now.at
            };
            if self.replace(vec![begun.change()]).await? == [true] {
                return Ok(());
            }
        }
        Err(Refusal::Unavailable(RETRY_AFTER))
    }

    async fn replace(&self, changes: Vec<JournalChange>) -> Result<Vec<bool>, Refusal> {
        let replaced = self.journal.replace(changes).await;
        replaced.map_err(|error| unavailable(&error))
    }

    /// The order with this identifier.
    pub(super) async fn get(&self, id: &str) -> Result<Option<Begun>, LogError> {
        let Some((place, tag)) = parse_id(id) else {
            return Ok(None);
        };
        let found = self.journal.get(place).await?;
        let found = found.and_then(Begun::read);
        Ok(found.filter(|found| found.entry.tag == tag))
    }

    /// The newest orders before a place, from new to old, and the place of the last one that was
    /// looked at. `None` if there are no more.
    pub(super) async fn newest(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<Begun>, Option<u64>), LogError> {
        let found = self.journal.newest(before, limit).await?;
        let last = found.last().map(|last| last.place);
        let last = last.filter(|_| found.len() == limit);
        Ok((found.into_iter().filter_map(Begun::read).collect(), last))
    }
}

const UNREADABLE: Refusal =
    Refusal::Unprocessable("the order with this Idempotency-Key cannot be read; use another key");

impl Begun {
    fn read(mut at: JournalEntry) -> Option<Self> {
        let entry = Entry::read(&at)?;
        at.content = Vec::new();
        Some(Self {
            at,
            entry,
            is_earlier: true,
        })
    }

    fn change(&self) -> JournalChange {
        self.at.change(self.entry.content(), self.at.due)
    }

    pub(super) fn place(&self) -> u64 {
        self.at.place
    }

    /// What is shown.
    pub(super) fn into_shown(self) -> TrailEntry {
        self.entry.into_shown(self.at.place)
    }

    /// What the sender was told, if the order has been carried out.
    pub(super) fn receipt(&self) -> Option<Receipt> {
        self.entry.receipt(self.at.place)
    }

    /// When an earlier request has begun it. `None` if no other has.
    pub(super) fn first_attempt(&self) -> Option<NumericDate> {
        self.is_earlier
            .then(|| NumericDate::new(self.entry.shown.ordered))
    }
}

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trail")
            .field("journal", &self.journal)
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}
