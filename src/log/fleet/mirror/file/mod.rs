//! The file: the records of the log, and up to where they are all of it.

#[cfg(test)]
mod tests;
mod unusable;

use std::{
    path::PathBuf,
    sync::{Arc, Weak},
    time::Duration,
};

use redb::{ReadableDatabase as _, TableDefinition, TableError};
use tokio::task;

use self::unusable::{Unusable, Why};
use super::super::{
    super::{EmbeddedLog, Fault, LogError, LogErrorKind, NumericDate, Reader, Revocation},
    engine::{Cursor, Incarnation},
    kept::{KeptUpTo, Recalled},
};

/// * `log`: which log it is a copy of.
/// * `up to`: the incarnation, the sequence and the mark up to which the file has the whole log.
///   Absent while the file may have something that the log has lost.
const MIRROR: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("mirror");
const LOG: &str = "log";
const UP_TO: &str = "up to";

/// How long the process that is replaced may take to close the file.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often expired records are removed.
const SWEEP_PERIOD: Duration = Duration::from_secs(600);

/// Clones are the same file.
#[derive(Clone, Debug)]
pub(super) struct File {
    log: EmbeddedLog,
}

/// What a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UpTo {
    /// Nothing yet.
    New,
    /// Records, but it is unknown how much of the log.
    Unknown,
    Known(KeptUpTo),
}

impl UpTo {
    pub(super) fn known(self) -> Option<KeptUpTo> {
        match self {
            Self::Known(up_to) => Some(up_to),
            Self::New | Self::Unknown => None,
        }
    }

    pub(super) fn is_new(self) -> bool {
        self == Self::New
    }
}

impl File {
    pub(super) async fn open(path: PathBuf, id: Arc<str>) -> Result<(Self, UpTo), Unusable> {
        let unusable = |why| Unusable {
            path: path.clone(),
            why,
        };
        let opened = {
            let path = path.clone();
            task::spawn_blocking(move || EmbeddedLog::open_copy(&path, PATIENCE)).await
        };
        let ended = |_| LogError::new(LogErrorKind::Storage);
        let opened = opened.map_err(ended).and_then(|opened| opened);
        let log = opened.map_err(|error| unusable(Why::Failed(error)))?;
        let log = log.sweep_every(SWEEP_PERIOD);
        let failed = |error| unusable(Why::Failed(error));
        let stored = log.read(stored).map_err(|fault| failed(fault.into()))?;
        match stored {
            Some((of, up_to)) if *of == *id.as_bytes() => Ok((Self { log }, up_to)),
            Some(_) => Err(unusable(Why::OtherLog)),
            None => {
                let is_new = log.write(move |work| {
                    let is_empty = work.is_empty();
                    if is_empty {
                        let mut table = work.transaction.open_table(MIRROR)?;
                        table.insert(LOG, id.as_bytes())?;
                        work.dirty = true;
                    }
                    Ok(is_empty)
                });
                if is_new.await.map_err(failed)? {
                    Ok((Self { log }, UpTo::New))
                } else {
                    Err(unusable(Why::NoMirror))
                }
            }
        }
    }

    /// Makes records durable, and says up to where the file has the whole log then.
    pub(super) async fn write(
        &self,
        records: Vec<Revocation>,
        up_to: Option<KeptUpTo>,
    ) -> Result<(), LogError> {
        let written = self.log.write(move |work| {
            work.append(&records, usize::MAX)?;
            let mut table = work.transaction.open_table(MIRROR)?;
            match up_to {
                Some(up_to) => table.insert(UP_TO, &pack(up_to)[..])?,
                None => table.remove(UP_TO)?,
            };
            work.dirty = true;
            Ok(())
        });
        written.await
    }

    pub(super) fn read_into(&self, reader: &Weak<dyn Reader>) -> Result<(), LogError> {
        self.log.read_into(reader)
    }

    /// Puts a record there that cannot be read.
    #[cfg(test)]
    pub(super) async fn damage(&self) {
        let written = self.log.write(|work| {
            let records = TableDefinition::<u64, &[u8]>::new("records");
            let mut table = work.transaction.open_table(records)?;
            table.insert(1000, &[0_u8; 3][..])?;
            work.dirty = true;
            Ok(())
        });
        written.await.unwrap();
    }

    /// Returns some records that have not expired.
    pub(super) fn piece(&self, after: u64) -> Result<Recalled, LogError> {
        let (mut records, next) = self.log.piece(after)?;
        let now = NumericDate::now();
        records.retain(|record| record.expires() > now);
        Ok(Recalled { records, next })
    }
}

/// Returns which log a file is a copy of, and what it has. `None` if it is no mirror.
fn stored(database: &redb::Database) -> Result<Option<(Vec<u8>, UpTo)>, Fault> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(MIRROR) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(log) = table.get(LOG)? else {
        return Ok(None);
    };
    let up_to = table.get(UP_TO)?.and_then(|bytes| unpack(bytes.value()));
    let up_to = up_to.map_or(UpTo::Unknown, UpTo::Known);
    Ok(Some((log.value().to_vec(), up_to)))
}

fn pack(up_to: KeptUpTo) -> [u8; 24] {
    let KeptUpTo {
        incarnation,
        cursor,
    } = up_to;
    let mut bytes = [0; 24];
    let numbers = [incarnation.0, cursor.sequence, cursor.mark];
    for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&number.to_be_bytes());
    }
    bytes
}

fn unpack(bytes: &[u8]) -> Option<KeptUpTo> {
    let (incarnation, rest) = bytes.split_first_chunk()?;
    let (sequence, rest) = rest.split_first_chunk()?;
    let mark = rest.try_into().ok()?;
    let [incarnation, sequence, mark] = [*incarnation, *sequence, mark].map(u64::from_be_bytes);
    Some(KeptUpTo {
        incarnation: Incarnation(incarnation),
        cursor: Cursor { sequence, mark },
    })
}
