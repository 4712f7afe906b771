//! A check that finds the index fresh finds every record that came before.
//!
//! A check asks first whether the index is fresh. A token that is kept is then often live by the
//! counters alone, without the lock of the rows.

use std::time::Duration;

use loom::{sync::Arc, thread};

use super::{
    super::{super::sync::AtomicU64, *},
    TAGGER, model,
};
use crate::{
    enforce::freshness::{Freshness, LastContact},
    log::{Moment, Position},
};

const HOUR: Duration = Duration::from_secs(3600);

/// What an index has of a log, and a token that is kept.
struct Loaded {
    table: Table,
    contact: LastContact,
    grant: Selector,
    remembered: AtomicU64,
}

impl Loaded {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            table: Table {
                tagger: TAGGER.clone(),
                ..Table::new()
            },
            contact: LastContact::new(),
            grant: Selector::grant("g1"),
            remembered: AtomicU64::new(0),
        })
    }

    /// The log has a record of the token.
    fn read(&self) {
        let record = Revocation::forever(self.grant, NumericDate::FOREVER);
        self.table.merge(&record);
        self.contact.read();
        self.contact.complete(Position::default(), Moment::now());
    }

    fn check(&self) {
        let (table, tag) = (&self.table, self.table.tag(&self.grant));
        let freshness = self.contact.freshness();
        let look_up = || table.covers(tag, None).then_some(());
        let found = (table.versions).check(&self.remembered, [tag].into_iter(), look_up);
        assert!(found.is_some() || freshness != Freshness::Fresh);
    }
}

#[test]
fn check_that_finds_the_index_loaded_finds_the_records_of_the_log() {
    model(|| {
        let loaded = Loaded::new();
        // A token is also looked up before a log has been loaded.
        loaded.check();
        let check = thread::spawn({
            let loaded = loaded.clone();
            move || loaded.check()
        });
        // In this thread, so that loom begins with the check that follows.
        loaded.read();
        // A local log: how long ago the index was complete does not matter.
        loaded.contact.loaded(None);
        check.join().unwrap();
        loaded.check();
    });
}

#[test]
fn check_that_finds_the_index_no_longer_stale_finds_the_records_of_the_log() {
    model(|| {
        let loaded = Loaded::new();
        let long_ago = Moment::now() - 2 * HOUR;
        loaded.contact.complete(Position::default(), long_ago);
        loaded.contact.loaded(Some(HOUR));
        loaded.check();
        let check = thread::spawn({
            let loaded = loaded.clone();
            move || loaded.check()
        });
        loaded.read();
        check.join().unwrap();
        loaded.check();
    });
}
