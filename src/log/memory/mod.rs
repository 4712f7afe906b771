//! A log that forgets.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::{
    Appended, Durability, LogError, LogErrorKind, LogHealth, NumericDate, Pace, Position, Reader,
    Revocation, RevocationLog, Selector, Snapshot, ceiling, new_epoch, readers::Readers,
};

/// So many records are kept for readers that come late, however few selectors there are.
const SHORTEST_HISTORY: usize = 1024;

/// A log in the memory of this process. **It forgets**: after a restart every revoked token is live
/// again.
///
/// It is for tests, and for tokens that do not outlive the process either. It grows with every
/// selector that is revoked, until it is [swept](Self::sweep) or comes to its
/// [ceiling](Self::ceiling).
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
    pace: Arc<Pace>,
}

#[derive(Debug)]
struct State {
    records: HashMap<Selector, Revocation>,
    ceiling: usize,
    /// The records after a position, the last that has been forgotten.
    history: Vec<Revocation>,
    compacted: u64,
    /// The latest end of a record that has been forgotten.
    forgotten: NumericDate,
    readers: Readers,
}

impl Default for State {
    fn default() -> Self {
        Self {
            records: HashMap::new(),
            ceiling: usize::MAX,
            history: Vec::new(),
            compacted: 0,
            forgotten: NumericDate::new(0),
            readers: Readers::default(),
        }
    }
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self {
            epoch: new_epoch(),
            state: Arc::default(),
            pace: Arc::new(Pace::start()),
        }
    }

    /// So many selectors at the most can have a record: an append that would add another is
    /// refused with [`LogErrorKind::Full`]. There is no ceiling unless this is called. It holds for
    /// every clone.
    ///
    /// **Nothing is forgotten before it expires**, and what has expired makes room only when it is
    /// [swept](Self::sweep). A record about a selector that has one already always goes in.
    #[must_use]
    pub fn ceiling(self, records: usize) -> Self {
        self.state().ceiling = records;
        self
    }

    /// Forgets the records that have expired, and returns how many they were. A reader that is
    /// behind has to take a snapshot.
    ///
    /// Appends wait for it. Call it now and then, aside of requests.
    ///
    /// # Errors
    ///
    /// [`LogErrorKind::ClockJumped`] if the system's clock is ahead of the time that has passed
    /// since the last sweep. Nothing is forgotten then.
    pub fn sweep(&self) -> Result<u64, LogError> {
        Ok(self.state().sweep(self.pace.now()?))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Only a reader can panic under the lock, and by then the records are in.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, state: &mut State, batch: Vec<Revocation>) -> Result<Appended, LogError> {
        let known = state.records.len();
        if !state.is_enough(state.ceiling.saturating_sub(known), &batch) {
            return Err(LogError::new(LogErrorKind::Full));
        }
        // Or revoking the same again and again would fill the memory.
        if state.history.len() > known.max(SHORTEST_HISTORY) {
            state.compact();
        }
        let before = state.history.len();
        for record in batch {
            let known = state.records.get(&record.selector()).copied();
            if let Some(record) = record.beyond(known) {
                state.records.insert(record.selector(), record);
                state.history.push(record);
            }
        }
        let position = self.position(state);
        if state.history.len() > before {
            state.readers.tell(position, &state.history[before..]);
        }
        let added = state.records.len() - known;
        Ok(Appended::new(position, added))
    }

    fn position(&self, state: &State) -> Position {
        Position {
            epoch: self.epoch,
            sequence: state.compacted + state.history.len() as u64,
        }
    }
}

impl State {
    fn is_enough(&self, room: usize, batch: &[Revocation]) -> bool {
        ceiling::is_enough(room, batch, |selector| self.records.contains_key(selector))
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
        self.compact();
        (before - self.records.len()) as u64
    }

    /// Forgets what only a reader that is behind would ask for.
    fn compact(&mut self) {
        self.compacted += self.history.len() as u64;
        self.history = Vec::new();
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl RevocationLog for MemoryLog {
    async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
        Ok(self.take_in(&mut self.state(), batch)?.position)
    }

    async fn append_at_most(
        &self,
        new: usize,
        batch: Vec<Revocation>,
    ) -> Result<Option<Appended>, LogError> {
        let mut state = self.state();
        if !state.is_enough(new, &batch) {
            return Ok(None);
        }
        self.take_in(&mut state, batch).map(Some)
    }

    async fn snapshot(&self) -> Result<Snapshot, LogError> {
        let state = self.state();
        let records = state.records.values().copied().collect();
        let snapshot = Snapshot::new(self.position(&state), records);
        Ok(snapshot.forgotten(state.forgotten))
    }

    async fn tail(&self, after: Position, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        let state = &mut *self.state();
        let position = self.position(state);
        let missed = after
            .sequence
            .checked_sub(state.compacted)
            .and_then(|after| usize::try_from(after).ok())
            .and_then(|after| state.history.get(after..))
            .filter(|_| after.epoch == self.epoch)
            .ok_or_else(|| LogError::new(LogErrorKind::Gap))?;
        if let Some(reader) = reader.upgrade() {
            reader.read(position, missed);
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

    fn is_local(&self) -> bool {
        true
    }
}
