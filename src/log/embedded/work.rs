//! One commit in the making: what may be done to the file, and to what is known of it.

use redb::{ReadableTable as _, WriteTransaction};

use super::{
    super::{Appended, LogErrorKind, NumericDate, Revocation, Selector, ceiling},
    fault::Fault,
    tables::{Columns, META, RECORDS, State, number, record},
};

/// So many rows are looked at in one step of a sweep.
const SWEEP_STEP: usize = 1024;

/// One commit in the making. If it fails, the state is ahead of the file, and neither is used
/// again.
pub(crate) struct Work<'t> {
    /// For what stands in tables beside the log's own.
    pub(crate) transaction: &'t WriteTransaction,
    table: redb::Table<'t, u64, Columns<'static>>,
    state: &'t mut State,
    /// What readers are to hear of once it is durable.
    pub(super) news: Vec<Revocation>,
    /// Whether there is anything to commit.
    pub(crate) dirty: bool,
}

impl<'t> Work<'t> {
    pub(super) fn begin(
        transaction: &'t WriteTransaction,
        state: &'t mut State,
    ) -> Result<Self, Fault> {
        Ok(Self {
            transaction,
            table: transaction.open_table(RECORDS)?,
            state,
            news: Vec::new(),
            dirty: false,
        })
    }

    /// What is known of a selector, this commit included.
    pub(crate) fn record(&self, selector: &Selector) -> Option<Revocation> {
        let known = self.state.records.get(selector)?;
        Some(Revocation::watermark(
            *selector,
            known.not_before,
            known.expires,
        ))
    }

    /// Whether a record that ends then, or later, may have been forgotten. While the clock does not
    /// go back, no such moment lies ahead of it.
    #[cfg(feature = "issued")]
    pub(crate) fn may_have_forgotten(&self, end: NumericDate) -> bool {
        self.state.forgotten >= end
    }

    /// When the file was last made of a backup, if it was.
    #[cfg(feature = "jwt")]
    pub(crate) fn restored(&self) -> Result<Option<NumericDate>, Fault> {
        let meta = self.transaction.open_table(META)?;
        let restored = meta.get("restored")?;
        Ok(restored.map(|at| NumericDate::new(at.value())))
    }

    /// Whether so many selectors of a batch at the most have no record.
    pub(super) fn is_enough(&self, room: usize, batch: &[Revocation]) -> bool {
        ceiling::is_enough(room, batch, |selector| {
            self.state.records.contains_key(selector)
        })
    }

    /// Appends what is not covered yet, or nothing if more selectors would then have a record than
    /// may.
    pub(super) fn append(
        &mut self,
        batch: &[Revocation],
        ceiling: usize,
    ) -> Result<Appended, Fault> {
        let known = self.state.records.len();
        if !self.is_enough(ceiling.saturating_sub(known), batch) {
            return Err(Fault::new(LogErrorKind::Full));
        }
        for record in batch {
            let Some(record) = record.beyond(self.record(&record.selector())) else {
                continue;
            };
            let selector = record.selector().to_bytes();
            let (not_before, expires) = (record.not_before().seconds(), record.expires().seconds());
            let sequence = self.state.position.sequence + 1;
            self.table
                .insert(sequence, (&selector, not_before, expires))?;
            self.state.position.sequence = sequence;
            self.state.know(record, sequence);
            self.news.push(record);
            self.dirty = true;
        }
        let added = self.state.records.len() - known;
        Ok(Appended::new(self.state.position, added))
    }

    /// Forgets what has expired or been overtaken, among the next few records from a position on.
    pub(crate) fn sweep(&mut self, from: u64, now: NumericDate) -> Result<Step<u64>, Fault> {
        let mut forgotten = Vec::new();
        let mut horizon = self.state.forgotten;
        let mut next = None;
        for (seen, row) in self.table.range(from..)?.enumerate() {
            let (sequence, row) = row?;
            let sequence = sequence.value();
            if seen == SWEEP_STEP {
                next = Some(sequence);
                break;
            }
            let record = record(row.value())?;
            let last = self.state.records.get(&record.selector());
            if last.is_none_or(|known| known.sequence != sequence) {
                forgotten.push(sequence);
            } else if record.expires() <= now {
                self.state.records.remove(&record.selector());
                forgotten.push(sequence);
                horizon = horizon.max(record.expires());
            }
        }
        for sequence in &forgotten {
            self.table.remove(sequence)?;
        }
        if let Some(&last) = forgotten.last() {
            let mut meta = self.transaction.open_table(META)?;
            let compacted = number(&meta, "compacted")?.max(last);
            meta.insert("compacted", compacted)?;
            if horizon > self.state.forgotten {
                meta.insert("forgotten", horizon.seconds())?;
                self.state.forgotten = horizon;
            }
            self.dirty = true;
        }
        Ok(Step {
            removed: forgotten.len() as u64,
            next,
        })
    }
}

/// What one step of a sweep came to.
pub(crate) struct Step<K> {
    /// How many rows have gone.
    pub(crate) removed: u64,
    /// Where to go on, if anywhere.
    pub(crate) next: Option<K>,
}
