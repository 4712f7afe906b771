//! A new reader gets what is in the file, and then what is appended.

use std::sync::{PoisonError, Weak};

#[cfg(feature = "fleet")]
use super::super::Revocation;
use super::{
    super::{LogError, Moment, Position, Reader},
    EmbeddedLog, tables,
};

impl EmbeddedLog {
    /// Hands everything to a reader, and adds it to the readers.
    pub(super) async fn add(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        loop {
            let end = self.read_everything(&reader)?;
            if self.add_after(end, reader.clone()).await? {
                return Ok(());
            }
            // A sweep has removed records that the reader does not have yet.
        }
    }

    /// Reads the file on this thread into a reader, which does not follow the log.
    #[cfg(feature = "fleet")]
    pub(crate) fn read_into(&self, reader: &Weak<dyn Reader>) -> Result<(), LogError> {
        self.read_everything(reader).map(drop)
    }

    /// Reads some records after a position, on this thread. Returns the position of the last one, if
    /// more follow.
    #[cfg(feature = "fleet")]
    pub(crate) fn piece(&self, after: u64) -> Result<(Vec<Revocation>, Option<u64>), LogError> {
        let piece = self
            .store
            .with(|database| tables::piece(database, &self.key, after));
        Ok(piece?)
    }

    /// Reads the file on this thread, while others append. Returns the end of what it has read.
    fn read_everything(&self, reader: &Weak<dyn Reader>) -> Result<Position, LogError> {
        let tell = |tell: &dyn Fn(&dyn Reader)| {
            if let Some(reader) = reader.upgrade() {
                tell(&*reader);
            }
        };
        let end = self.store.with(|database| {
            tables::everything(
                database,
                &self.key,
                |count| tell(&|reader| reader.reserve(count)),
                |records| tell(&|reader| reader.read(records)),
            )
        })?;
        tell(&|reader| reader.forgotten(end.forgotten));
        Ok(end.position)
    }

    /// Adds a reader that has everything up to a position. Returns `false` if it has to read again.
    pub(super) fn add_after(
        &self,
        after: Position,
        reader: Weak<dyn Reader>,
    ) -> impl Future<Output = Result<bool, LogError>> + use<> {
        let (key, readers) = (self.key.clone(), self.readers.clone());
        // Between two commits, so that the reader misses nothing.
        self.writer.between_commits(move |store, seen| {
            let asked = Moment::now();
            let known = reader.upgrade();
            let read = |records: &[_]| {
                if let Some(reader) = &known {
                    reader.read(records);
                }
            };
            let found =
                store.with(|database| tables::after(database, &key, after, seen.sequence, read))?;
            if found {
                if let Some(reader) = &known {
                    reader.complete(seen, asked);
                }
                let mut readers = readers.lock().unwrap_or_else(PoisonError::into_inner);
                readers.add(reader);
            }
            Ok(found)
        })
    }
}
