//! A check that misses a record sees that it was removed and forgotten.
//!
//! A check that finds no row has taken the lock of the rows after the sweep, which is order enough.
//! Two ways bypass the lock: the class of the row has no record, or an earlier check has remembered
//! that there is nothing to find. So these tests use the table itself.

use loom::{sync::Arc, thread};

use super::{
    super::{super::sync::AtomicU64, *},
    TAGGER, model,
};

const END: NumericDate = NumericDate::new(1000);

/// A table with the record of one token, which several threads check.
struct Swept {
    table: Table,
    tag: Tag,
    remembered: AtomicU64,
}

impl Swept {
    fn new() -> Arc<Self> {
        let table = Table {
            tagger: TAGGER.clone(),
            ..Table::new()
        };
        let grant = Selector::grant("g1");
        table.merge(&Revocation::forever(grant, END));
        Arc::new(Self {
            tag: table.tag(&grant),
            table,
            remembered: AtomicU64::new(0),
        })
    }

    /// The record is the only row, so the sweep exchanges the table.
    fn sweep(&self) {
        assert_eq!(self.table.sweep_shard(self.table.shard(self.tag), END), 1);
    }

    fn look_up(&self) -> Option<()> {
        let is_covered = self.table.has(self.tag.class()) && self.table.covers(self.tag, None);
        is_covered.then_some(())
    }

    /// As for a token that is checked for the first time.
    fn check(&self) {
        let found = self.look_up();
        assert!(found.is_some() || self.table.may_have_forgotten(END));
    }

    /// As for a token that is kept for several requests.
    fn check_kept(&self) {
        let tags = [self.tag].into_iter();
        let found = (self.table.versions).check(&self.remembered, tags, || self.look_up());
        assert!(found.is_some() || self.table.may_have_forgotten(END));
    }
}

#[test]
fn check_that_finds_no_record_of_the_class_sees_what_was_forgotten() {
    model(|| {
        let swept = Swept::new();
        let sweeper = thread::spawn({
            let swept = swept.clone();
            move || swept.sweep()
        });
        swept.check();
        sweeper.join().unwrap();
    });
}

#[test]
fn check_that_relies_on_an_earlier_one_sees_what_was_forgotten() {
    model(|| {
        let swept = Swept::new();
        let threads = [Swept::sweep, Swept::check_kept].map(|act| {
            let swept = swept.clone();
            thread::spawn(move || act(&swept))
        });
        swept.check_kept();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
