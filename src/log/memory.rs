//! A log that forgets.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::{
    Durability, LogError, LogErrorKind, Position, Reader, Revocation, RevocationLog, Selector,
    Snapshot, new_epoch, readers::Readers,
};

/// A log in the memory of this process. **It forgets**: after a restart every revoked token is live
/// again.
///
/// It is for tests, and for tokens that do not outlive the process either. It is never swept, and
/// grows with every revocation.
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
}

#[derive(Debug, Default)]
struct State {
    records: HashMap<Selector, Revocation>,
    history: Vec<Revocation>,
    readers: Readers,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self {
            epoch: new_epoch(),
            state: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Only a reader can panic under the lock, and by then the records are in.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn position(&self, state: &State) -> Position {
        Position {
            epoch: self.epoch,
            sequence: state.history.len() as u64,
        }
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl RevocationLog for MemoryLog {
    async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
        let state = &mut *self.state();
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
        Ok(position)
    }

    async fn snapshot(&self) -> Result<Snapshot, LogError> {
        let state = self.state();
        Ok(Snapshot {
            position: self.position(&state),
            records: state.records.values().copied().collect(),
        })
    }

    async fn tail(&self, after: Position, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        let state = &mut *self.state();
        let position = self.position(state);
        let missed = usize::try_from(after.sequence)
            .ok()
            .and_then(|after| state.history.get(after..))
            .filter(|_| after.epoch == self.epoch)
            .ok_or_else(|| LogError::new(LogErrorKind::Gap))?;
        if let Some(reader) = reader.upgrade() {
            reader.read(position, missed);
        }
        state.readers.add(reader);
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }

    fn is_local(&self) -> bool {
        true
    }
}
