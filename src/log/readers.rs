//! The readers of a log, each for as long as it exists.

use std::{fmt, sync::Weak};

use super::{Moment, NumericDate, Position, Revocation};

/// Receives every record of a log.
///
/// A log calls [`read`](Self::read) and [`complete`](Self::complete) on any thread, and appends wait
/// until they return: store what you get and do nothing else.
pub trait Reader: Send + Sync {
    /// Receives records. The same record can come more than once. It may become durable a moment later:
    /// an append returns only after that.
    ///
    /// Records say nothing about how fresh the reader is: only [`complete`](Self::complete) does.
    fn read(&self, records: &[Revocation]);

    /// The reader now has every record up to `position`, and that was the end of the log at the
    /// moment `asked` or later.
    ///
    /// A log that other processes append to as well says for `asked` when it *sent* the question to
    /// which the end of the log was the answer. An answer that was long on its way is old.
    fn complete(&self, position: Position, asked: Moment);

    /// The log has removed records that expired at this time or earlier. If the clock is earlier
    /// than that, because it was set back, a token that expires by then may have had a record.
    fn forgotten(&self, expires: NumericDate);

    /// The log has ended, and other processes do not wait for this one any more. Rely on nothing from
    /// now on. Does nothing by default.
    fn ended(&self) {}

    /// About this many records follow. Does nothing by default.
    fn reserve(&self, records: usize) {
        let _ = records;
    }
}

#[derive(Default)]
pub(super) struct Readers(Vec<Weak<dyn Reader>>);

impl Readers {
    /// Adds a reader, unless it is there already, and forgets readers that were dropped.
    pub(super) fn add(&mut self, reader: Weak<dyn Reader>) {
        self.0
            .retain(|known| known.strong_count() > 0 && !known.ptr_eq(&reader));
        self.0.push(reader);
    }

    /// Returns whether there is a reader.
    #[cfg(feature = "fleet")]
    pub(super) fn any(&self) -> bool {
        self.0.iter().any(|reader| reader.strong_count() > 0)
    }

    /// Forgets a reader.
    #[cfg(feature = "fleet")]
    pub(super) fn remove(&mut self, reader: &Weak<dyn Reader>) {
        self.0.retain(|known| !known.ptr_eq(reader));
    }

    /// Hands records to every reader, and forgets readers that were dropped.
    pub(super) fn read(&mut self, records: &[Revocation]) {
        self.each(|reader| reader.read(records));
    }

    /// Tells every reader that it is complete as of now.
    pub(super) fn complete(&mut self, position: Position) {
        self.complete_as_of(position, Moment::now());
    }

    /// Tells every reader that it is complete as of a moment.
    pub(super) fn complete_as_of(&mut self, position: Position, asked: Moment) {
        self.each(|reader| reader.complete(position, asked));
    }

    /// Tells every reader what the log has removed.
    #[cfg(feature = "fleet")]
    pub(super) fn forgotten(&mut self, expires: NumericDate) {
        self.each(|reader| reader.forgotten(expires));
    }

    /// Tells every reader that the log has ended.
    #[cfg(feature = "fleet")]
    pub(super) fn ended(&mut self) {
        self.each(|reader| reader.ended());
    }

    fn each(&mut self, mut tell: impl FnMut(&dyn Reader)) {
        self.0.retain(|reader| {
            let reader = reader.upgrade();
            if let Some(reader) = &reader {
                tell(&**reader);
            }
            reader.is_some()
        });
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readers").field(&self.0.len()).finish()
    }
}
