//! What does a log know now?

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{LogError, Moment, NumericDate, Position, Reader, Revocation, RevocationLog, Selector};

/// Everything that a log knows at one position, for tools and tests. To check tokens, use an
/// [`Index`](crate::enforce::Index).
///
/// ```
/// use tower_revocation::log::{
///     MemoryLog, NumericDate, Revocation, RevocationLog, Selector, Snapshot,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_revocation::log::LogError> {
/// let log = MemoryLog::new();
/// let record = Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER);
/// log.append(vec![record]).await?;
///
/// let snapshot = Snapshot::of(&log).await?;
/// assert_eq!(snapshot.records, [record]);
/// assert_eq!(snapshot.forgotten, NumericDate::new(0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The last record in the snapshot.
    pub position: Position,
    /// One record for each selector, in the order in which the log has them. Some can have expired.
    pub records: Vec<Revocation>,
    /// The latest expiry of the records that the log has removed, or zero if it has removed none.
    /// See [`Reader::forgotten`].
    pub forgotten: NumericDate,
}

impl Snapshot {
    fn empty() -> Self {
        Self {
            position: Position::default(),
            records: Vec::new(),
            forgotten: NumericDate::new(0),
        }
    }

    /// Reads a log.
    ///
    /// # Errors
    ///
    /// Fails if the log cannot be read.
    pub async fn of<L: RevocationLog>(log: &L) -> Result<Self, LogError> {
        let collected = Arc::new(Collected(Mutex::new(State {
            found: Self::empty(),
            indexes: HashMap::new(),
        })));
        let reader: Arc<dyn Reader> = collected.clone();
        log.follow(Arc::downgrade(&reader)).await?;
        let found = std::mem::replace(&mut collected.state().found, Self::empty());
        Ok(found)
    }
}

struct Collected(Mutex<State>);

struct State {
    found: Snapshot,
    /// Where the record of a selector is.
    indexes: HashMap<Selector, usize>,
}

impl Collected {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader for Collected {
    fn read(&self, records: &[Revocation]) {
        let State { found, indexes } = &mut *self.state();
        for record in records {
            match indexes.entry(record.selector()) {
                Entry::Vacant(index) => {
                    index.insert(found.records.len());
                    found.records.push(*record);
                }
                Entry::Occupied(index) => {
                    let known = &mut found.records[*index.get()];
                    *known = known.merge(*record);
                }
            }
        }
    }

    fn complete(&self, position: Position, _: Moment) {
        self.state().found.position = position;
    }

    fn forgotten(&self, expires: NumericDate) {
        let known = &mut self.state().found.forgotten;
        *known = expires.max(*known);
    }
}
