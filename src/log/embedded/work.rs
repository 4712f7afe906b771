//! An open commit: the changes to the file and to the state in memory.

use redb::{ReadableTable as _, WriteTransaction};

use super::{
    super::{Appended, LogErrorKind, NumericDate, Revocation, Selector, ceiling},
    fault::Fault,
    row,
    rows::Rows,
    tables::{META, State, number},
};

/// One step of a sweep ends with the row that reaches this many records.
const SWEEP_STEP: usize = 1024;

/// An open commit. If it fails, the state in memory is ahead of the file, and both are read again.
pub(crate) struct Work<'t> {
    /// For tables other than those of the log.
    pub(crate) transaction: &'t WriteTransaction,
    state: &'t mut State,
    /// The records that are written when the work ends, and that readers get once they are durable.
    appended: Vec<(u64, Revocation)>,
    /// Whether there is anything to commit.
    pub(crate) dirty: bool,
}

impl<'t> Work<'t> {
    pub(super) fn begin(transaction: &'t WriteTransaction, state: &'t mut State) -> Self {
        Self {
            transaction,
            state,
            appended: Vec::new(),
            dirty: false,
        }
    }

    /// Writes the appended records. Returns them, and whether there is anything to commit.
    pub(super) fn end(self) -> Result<(Vec<Revocation>, bool), Fault> {
        if !self.appended.is_empty() {
            let mut rows = Rows::write(self.transaction)?;
            rows.append(&self.appended, &mut self.state.masks)?;
        }
        let appended = self.appended.into_iter().map(|(_, record)| record);
        Ok((appended.collect(), self.dirty))
    }

    /// Returns the content of a row that peers neither choose nor know.
    #[cfg(any(feature = "admin", feature = "issued", feature = "jwt"))]
    pub(crate) fn mask(&mut self, plain: &[u8]) -> Vec<u8> {
        self.state.masks.mask(plain)
    }

    /// Returns the key of the file.
    #[cfg(any(feature = "admin", feature = "issued", feature = "jwt"))]
    pub(crate) fn key(&self) -> &super::FileKey {
        self.state.masks.key()
    }

    /// Returns whether the log has no record.
    #[cfg(feature = "fleet")]
    pub(crate) fn is_empty(&self) -> bool {
        self.state.records.is_empty()
    }

    /// Returns the record of a selector, including changes of this commit.
    pub(crate) fn record(&self, selector: &Selector) -> Option<Revocation> {
        let known = self.state.records.get(selector)?;
        Some(Revocation::watermark(
            *selector,
            known.not_before,
            known.expires,
        ))
    }

    /// Returns whether a record that expires at `end` or later may have been removed. That is never
    /// true for a time in the future, unless the clock was set back.
    #[cfg(feature = "issued")]
    pub(crate) fn may_have_forgotten(&self, end: NumericDate) -> bool {
        self.state.forgotten >= end
    }

    /// Returns when the file was last restored from a backup, if it was.
    #[cfg(feature = "jwt")]
    pub(crate) fn restored(&self) -> Result<Option<NumericDate>, Fault> {
        let meta = self.transaction.open_table(META)?;
        let restored = meta.get("restored")?;
        Ok(restored.map(|at| NumericDate::new(at.value())))
    }

    /// Returns whether at most `limit` selectors of a batch have no record.
    pub(super) fn has_room(&self, limit: usize, batch: &[Revocation]) -> bool {
        ceiling::fits(limit, batch, |selector| {
            self.state.records.contains_key(selector)
        })
    }

    /// Appends the records that are not covered yet. Appends nothing if the log would have more
    /// than `ceiling` selectors.
    pub(crate) fn append(
        &mut self,
        batch: &[Revocation],
        ceiling: usize,
    ) -> Result<Appended, Fault> {
        let known = self.state.records.len();
        if !self.has_room(ceiling.saturating_sub(known), batch) {
            return Err(Fault::new(LogErrorKind::Full));
        }
        for record in batch {
            let Some(record) = record.beyond(self.record(&record.selector())) else {
                continue;
            };
            let sequence = self.state.position.sequence + 1;
            self.state.position.sequence = sequence;
            self.state.know(record, sequence);
            self.appended.push((sequence, record));
            self.dirty = true;
        }
        let added = self.state.records.len() - known;
        Ok(Appended::new(self.state.position, added))
    }

    /// Removes expired records and records that later ones have replaced, among the next records
    /// from a position on.
    pub(crate) fn sweep(&mut self, from: u64, now: NumericDate) -> Result<SweepStep<u64>, Fault> {
        let rows = Rows::write(self.transaction)?;
        let mut table = if from == 0 {
            let (table, moved) = rows.settled(&mut self.state.masks)?;
            self.dirty |= moved;
            table
        } else {
            // What has been appended since the first step waits for the next sweep.
            rows.records()
        };
        let (mut seen, mut removed) = (0, Vec::new());
        let (mut changed, mut next) = (Vec::new(), None);
        let mut horizon = self.state.forgotten;
        let mut plain = Vec::new();
        for row in table.range(from..)? {
            let (last, row) = row?;
            let last = last.value();
            if seen >= SWEEP_STEP {
                next = Some(last);
                break;
            }
            self.state.masks.key().unmask(row.value(), &mut plain)?;
            let before = removed.len();
            let mut kept = Vec::new();
            for record in row::unpack(last, &plain) {
                let (sequence, record) = record?;
                seen += 1;
                let known = self.state.records.get(&record.selector());
                if known.is_none_or(|known| known.sequence != sequence) {
                    removed.push(sequence);
                } else if record.expires() <= now {
                    self.state.records.remove(&record.selector());
                    removed.push(sequence);
                    horizon = horizon.max(record.expires());
                } else {
                    kept.push((sequence, record));
                }
            }
            if removed.len() > before {
                changed.push((last, kept));
            }
        }
        for (last, kept) in changed {
            if kept.is_empty() {
                table.remove(last)?;
            } else {
                let plain = row::pack(last, &kept)?;
                table.insert(last, &*self.state.masks.mask(&plain))?;
            }
        }
        if let Some(&last) = removed.last() {
            let mut meta = self.transaction.open_table(META)?;
            let compacted = number(&meta, "compacted")?.max(last);
            meta.insert("compacted", compacted)?;
            if horizon > self.state.forgotten {
                meta.insert("forgotten", horizon.seconds())?;
                self.state.forgotten = horizon;
            }
            self.dirty = true;
        }
        Ok(SweepStep {
            removed: removed.len() as u64,
            next,
        })
    }
}

/// The result of one step of a sweep.
pub(crate) struct SweepStep<K> {
    /// How many rows were removed.
    pub(crate) removed: u64,
    /// Where the next step begins, if there is more to do.
    pub(crate) next: Option<K>,
}
