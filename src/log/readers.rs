//! The readers of a log, each for as long as it exists.

use std::{fmt, sync::Weak};

use super::{Position, Revocation};

/// Receives every record of a log.
pub trait Reader: Send + Sync {
    /// Receives durable records. The last of them is at `position`.
    ///
    /// Appends wait until this method returns: store the records and do nothing else.
    ///
    /// An empty slice means that there is currently no record after `position`.
    fn read(&self, position: Position, records: &[Revocation]);
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

    /// Hands records to every reader, and forgets readers that were dropped.
    pub(super) fn notify(&mut self, position: Position, records: &[Revocation]) {
        self.0.retain(|reader| {
            let reader = reader.upgrade();
            if let Some(reader) = &reader {
                reader.read(position, records);
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
