//! A log in the memory of one process.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use super::{
    Appended, CheckedClock, Durability, LogError, LogErrorKind, LogHealth, Moment, NumericDate,
    Position, Reader, Revocation, RevocationLog, Selector, ceiling, position::new_epoch,
    readers::Readers,
};

/// A reader that begins to follow gets this many records at once.
const PIECE: usize = 4096;

/// A log in the memory of this process. **After a restart every revoked token is live again.**
///
/// Use it for tests, and for tokens that do not outlive the process. It grows with every selector
/// that is revoked, until it is [swept](Self::sweep) or reaches its [ceiling](Self::ceiling).
///
/// ```
/// use tower_revocation::log::{
///     Durability, MemoryLog, NumericDate, Revocation, RevocationLog, Selector,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_revocation::log::LogError> {
/// let log = MemoryLog::new();
/// assert_eq!(log.durability(), Durability::Volatile);
///
/// let record = Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER);
/// let first = log.append(vec![record]).await?;
/// let again = log.append(vec![record]).await?;
/// assert_eq!(first, again);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MemoryLog {
    epoch: u64,
    state: Arc<Mutex<State>>,
    clock: Arc<CheckedClock>,
}

#[derive(Debug)]
struct State {
    records: HashMap<Selector, Revocation>,
    ceiling: usize,
    /// How many records were appended.
    sequence: u64,
    /// The latest expiry of a record that was removed.
    forgotten: NumericDate,
    readers: Readers,
}

impl Default for State {
    fn default() -> Self {
        Self {
            records: HashMap::new(),
            ceiling: usize::MAX,
            sequence: 0,
            forgotten: NumericDate::new(0),
            readers: Readers::default(),
        }
    }
}

impl MemoryLog {
    /// Makes an empty log.
    #[must_use]
    pub fn new() -> Self {
        Self {
            epoch: new_epoch(),
            state: Arc::default(),
            clock: Arc::new(CheckedClock::start()),
        }
    }

    /// Limits the log to `records` selectors. Defaults to no limit. The limit applies to every
    /// clone.
    ///
    /// An append that would add another selector fails with [`LogErrorKind::Full`]. **No record is
    /// removed before it expires**, and expired records count until they are
    /// [swept](Self::sweep). A record about a selector that already has one is always accepted.
    #[must_use]
    pub fn ceiling(self, records: usize) -> Self {
        self.state().ceiling = records;
        self
    }

    /// Removes the records that have expired, and returns how many it removed.
    ///
    /// Appends wait for the sweep. Call it periodically, outside of requests.
    ///
    /// # Errors
    ///
    /// Fails with [`LogErrorKind::ClockJumped`] if the system's clock is ahead of the time that has
    /// passed since the last sweep. Nothing is removed then.
    pub fn sweep(&self) -> Result<u64, LogError> {
        Ok(self.state().sweep(self.clock.now()?))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Only a reader can panic while the lock is held, and the records are stored before that.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, state: &mut State, batch: Vec<Revocation>) -> Result<Appended, LogError> {
        let known = state.records.len();
        if !state.has_room(state.ceiling.saturating_sub(known), &batch) {
            return Err(LogError::new(LogErrorKind::Full));
        }
        let mut appended = Vec::new();
        for record in batch {
            let known = state.records.get(&record.selector()).copied();
            if let Some(record) = record.beyond(known) {
                state.records.insert(record.selector(), record);
                appended.push(record);
            }
        }
        state.sequence += appended.len() as u64;
        let position = self.position(state);
        if !appended.is_empty() {
            state.readers.read(&appended);
            state.readers.complete(position);
        }
        let added = state.records.len() - known;
        Ok(Appended::new(position, added))
    }

    fn position(&self, state: &State) -> Position {
        Position {
            epoch: self.epoch,
            sequence: state.sequence,
        }
    }
}

impl State {
    fn has_room(&self, limit: usize, batch: &[Revocation]) -> bool {
        ceiling::fits(limit, batch, |selector| self.records.contains_key(selector))
    }

    fn sweep(&mut self, now: NumericDate) -> u64 {
        let before = self.records.len();
        self.records.retain(|_, record| {
            let keep = record.expires() > now;
            if !keep {
                self.forgotten = self.forgotten.max(record.expires());
            }
            keep
        });
        (before - self.records.len()) as u64
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl RevocationLog for MemoryLog {
    async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
        Ok(self.store(&mut self.state(), batch)?.position)
    }

    async fn append_at_most(
        &self,
        new: usize,
        batch: Vec<Revocation>,
    ) -> Result<Option<Appended>, LogError> {
        let mut state = self.state();
        if !state.has_room(new, &batch) {
            return Ok(None);
        }
        self.store(&mut state, batch).map(Some)
    }

    async fn follow(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        let state = &mut *self.state();
        if let Some(reader) = reader.upgrade() {
            reader.reserve(state.records.len());
            let mut records = state.records.values().copied();
            loop {
                let piece: Vec<_> = records.by_ref().take(PIECE).collect();
                if piece.is_empty() {
                    break;
                }
                reader.read(&piece);
            }
            reader.forgotten(state.forgotten);
            reader.complete(self.position(state), Moment::now());
        }
        state.readers.add(reader);
        Ok(())
    }

    fn health(&self) -> LogHealth {
        LogHealth::writable()
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }

    fn lease(&self) -> Option<Duration> {
        None
    }
}
