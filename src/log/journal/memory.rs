//! A journal in the memory of one process.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt as _};

use super::{
    super::{LogError, LogErrorKind, NumericDate},
    Journal, JournalChange, JournalEntry, JournalWrite, NewJournalEntry,
    entry::check_lengths,
};

/// How many expired entries each new one removes.
const EXPIRED_PER_ENTRY: usize = 2;

/// A journal in the memory of this process. **It is lost with the process.**
///
/// Use it for tests, and beside a [`MemoryLog`](super::super::MemoryLog). Clones are the same
/// journal. It has at most 100 000 entries. Beyond that, a write fails with
/// [`LogErrorKind::Full`]: no entry is removed before it expires.
///
/// ```
/// use tower_revocation::log::{
///     Journal, JournalWrite, MemoryJournal, NewJournalEntry, NumericDate,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_revocation::log::LogError> {
/// let journal = MemoryJournal::new();
/// let entry = NewJournalEntry::new(b"ordered".to_vec(), NumericDate::FOREVER);
/// assert_eq!(journal.write(vec![entry]).await?, [JournalWrite::Written(1)]);
/// assert_eq!(journal.get(1).await?.expect("it is kept").content, b"ordered");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryJournal {
    state: Arc<Mutex<State>>,
}

struct State {
    capacity: usize,
    last: u64,
    rows: BTreeMap<u64, Row>,
    keys: HashMap<[u8; 32], u64>,
    by_end: BTreeSet<(NumericDate, u64)>,
    by_due: BTreeSet<(NumericDate, u64)>,
}

struct Row {
    entry: JournalEntry,
    expires: NumericDate,
    key: Option<[u8; 32]>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            capacity: 100_000,
            last: 0,
            rows: BTreeMap::new(),
            keys: HashMap::new(),
            by_end: BTreeSet::new(),
            by_due: BTreeSet::new(),
        }
    }
}

impl MemoryJournal {
    /// Makes an empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the number of entries. Defaults to 100 000. The limit applies to every clone.
    #[must_use]
    pub fn capacity(self, entries: usize) -> Self {
        self.state().capacity = entries;
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No method panics between two changes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn write(
        &self,
        batch: Vec<NewJournalEntry>,
    ) -> BoxFuture<'_, Result<Vec<JournalWrite>, LogError>> {
        ready(self.state().write(batch, NumericDate::now())).boxed()
    }

    fn replace(&self, batch: Vec<JournalChange>) -> BoxFuture<'_, Result<Vec<bool>, LogError>> {
        ready(self.state().replace(batch, NumericDate::now())).boxed()
    }

    fn get(&self, place: u64) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        let entry = self.state().kept(place, NumericDate::now()).cloned();
        ready(Ok(entry)).boxed()
    }

    fn find(&self, key: [u8; 32]) -> BoxFuture<'_, Result<Option<JournalEntry>, LogError>> {
        let entry = self.state().find(&key, NumericDate::now()).cloned();
        ready(Ok(entry)).boxed()
    }

    fn newest(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>> {
        let now = NumericDate::now();
        let state = self.state();
        let rows = state.rows.range(..before.unwrap_or(u64::MAX)).rev();
        let kept = rows.filter(|(_, row)| row.expires > now);
        let entries = kept.map(|(_, row)| row.entry.clone()).take(limit);
        ready(Ok(entries.collect())).boxed()
    }

    fn take_due(
        &self,
        limit: usize,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, LogError>> {
        let taken = self.state().take_due(limit, lease, NumericDate::now());
        ready(Ok(taken)).boxed()
    }

    fn waiting(&self) -> BoxFuture<'_, Result<u64, LogError>> {
        let now = NumericDate::now();
        let state = self.state();
        let waiting = state.by_due.iter();
        let waiting = waiting.filter(|(_, place)| state.kept(*place, now).is_some());
        ready(Ok(waiting.count() as u64)).boxed()
    }
}

impl State {
    fn kept(&self, place: u64, now: NumericDate) -> Option<&JournalEntry> {
        let row = self.rows.get(&place)?;
        (row.expires > now).then_some(&row.entry)
    }

    fn find(&self, key: &[u8; 32], now: NumericDate) -> Option<&JournalEntry> {
        self.kept(*self.keys.get(key)?, now)
    }

    fn write(
        &mut self,
        batch: Vec<NewJournalEntry>,
        now: NumericDate,
    ) -> Result<Vec<JournalWrite>, LogError> {
        check_lengths(batch.iter().map(|new| &new.content))?;
        self.forget(now, EXPIRED_PER_ENTRY * batch.len());
        if self.rows.len() + batch.len() > self.capacity {
            return Err(LogError::new(LogErrorKind::Full).caused_by("the journal is full"));
        }
        let written = batch.into_iter().map(|new| {
            let earlier = new.key.and_then(|key| self.find(&key, now));
            match earlier {
                Some(earlier) => JournalWrite::Earlier(earlier.clone()),
                None => JournalWrite::Written(self.insert(new)),
            }
        });
        Ok(written.collect())
    }

    fn insert(&mut self, new: NewJournalEntry) -> u64 {
        self.last += 1;
        let place = self.last;
        if let Some(key) = new.key {
            // An entry that has expired and is not removed yet may have had it.
            self.keys.insert(key, place);
        }
        self.by_end.insert((new.expires, place));
        self.by_due.extend(new.due.map(|due| (due, place)));
        let row = Row {
            entry: JournalEntry::new(place, 0, new.content, new.due),
            expires: new.expires,
            key: new.key,
        };
        self.rows.insert(place, row);
        place
    }

    fn replace(
        &mut self,
        batch: Vec<JournalChange>,
        now: NumericDate,
    ) -> Result<Vec<bool>, LogError> {
        check_lengths(batch.iter().map(|change| &change.content))?;
        let replaced = batch.into_iter().map(|change| {
            let known = self.kept(change.place, now);
            let is_same = known.is_some_and(|known| known.version == change.version);
            if is_same {
                self.change(change.place, change.due, Some(change.content));
            }
            is_same
        });
        Ok(replaced.collect())
    }

    fn change(&mut self, place: u64, due: Option<NumericDate>, content: Option<Vec<u8>>) {
        let Some(Row { entry, .. }) = self.rows.get_mut(&place) else {
            return;
        };
        if let Some(earlier) = entry.due {
            self.by_due.remove(&(earlier, place));
        }
        self.by_due.extend(due.map(|due| (due, place)));
        entry.due = due;
        entry.version = entry.version.wrapping_add(1);
        if let Some(content) = content {
            entry.content = content;
        }
    }

    fn take_due(&mut self, limit: usize, lease: Duration, now: NumericDate) -> Vec<JournalEntry> {
        let due = self.by_due.iter().take_while(|(due, _)| *due <= now);
        let places = due.map(|(_, place)| *place);
        let kept = places.filter(|place| self.kept(*place, now).is_some());
        let places: Vec<_> = kept.take(limit).collect();
        for place in &places {
            self.change(*place, Some(now + lease), None);
        }
        let taken = places.iter().filter_map(|place| self.kept(*place, now));
        taken.cloned().collect()
    }

    /// Removes entries that have expired, at most this many.
    fn forget(&mut self, now: NumericDate, limit: usize) {
        for _ in 0..limit {
            let Some((end, place)) = self.by_end.first().copied().filter(|(end, _)| *end <= now)
            else {
                break;
            };
            self.by_end.remove(&(end, place));
            let Some(row) = self.rows.remove(&place) else {
                continue;
            };
            if let Some(due) = row.entry.due {
                self.by_due.remove(&(due, place));
            }
            if let Some(key) = row.key.filter(|key| self.keys.get(key) == Some(&place)) {
                self.keys.remove(&key);
            }
        }
    }
}

/// Shows the number of entries.
impl fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryJournal")
            .field("entries", &self.state().rows.len())
            .finish_non_exhaustive()
    }
}
