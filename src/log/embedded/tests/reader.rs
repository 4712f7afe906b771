//! A reader that keeps every record, and what it gets.

use std::sync::{Arc, Mutex};

use futures::executor::block_on;

use super::super::{EmbeddedLog, Fault, tables};
use crate::log::{Moment, NumericDate, Position, Reader, Revocation, RevocationLog as _};

#[derive(Default)]
pub(super) struct Collected(Mutex<Vec<Revocation>>);

impl Reader for Collected {
    fn read(&self, records: &[Revocation]) {
        self.0.lock().unwrap().extend(records);
    }

    fn complete(&self, _: Position, _: Moment) {}

    fn forgotten(&self, _: NumericDate) {}
}

impl Collected {
    pub(super) fn records(&self) -> Vec<Revocation> {
        self.0.lock().unwrap().clone()
    }
}

/// Follows a log. What is in the log already is not kept.
pub(super) fn follow(log: &EmbeddedLog) -> Arc<Collected> {
    let collected = Arc::<Collected>::default();
    let reader: Arc<dyn Reader> = collected.clone();
    block_on(log.follow(Arc::downgrade(&reader))).unwrap();
    collected.0.lock().unwrap().clear();
    collected
}

/// Returns the records after a position, unless a reader there has to read everything again.
pub(super) fn after(log: &EmbeddedLog, position: Position) -> Option<Vec<Revocation>> {
    let collected = Arc::<Collected>::default();
    let reader: Arc<dyn Reader> = collected.clone();
    let added = log.add_after(position, Arc::downgrade(&reader));
    block_on(added).unwrap().then(|| collected.records())
}

/// Reads the store on this thread, and not on the writing thread.
pub(super) fn everything(log: &EmbeddedLog) -> Result<(Vec<Revocation>, Position), Fault> {
    let mut records = Vec::new();
    let end = log.store.with(|database| {
        tables::everything(database, &log.key, |_| {}, |piece| records.extend(piece))
    })?;
    Ok((records, end.position))
}
