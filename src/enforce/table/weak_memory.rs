//! What the counters guarantee if loads may return old values.
//!
//! `tests/run` runs these tests with `--cfg loom` for this crate. loom tries the orders of the
//! threads, and for each load every value that the memory model of C11 allows there. The lock of
//! the rows would hide a wrong order of the counters, so a row is an atomic without any order here.

use loom::{
    model::Builder,
    sync::{Arc, atomic::AtomicBool},
    thread,
};

use super::*;

/// How often a thread is interrupted. Each further time takes about ten times as long.
const INTERRUPTIONS: usize = 2;

/// The tags of one token, with counters of their own.
const TAGS: [Tag; 2] = [Tag([7, 7, 7, 0]), Tag([7, 7, 7, 1 << 3])];

/// A table whose rows have no lock, and a token that several threads check.
struct Model {
    versions: Versions,
    remembered: Remembered,
    rows: [AtomicBool; 2],
    returned: [AtomicBool; 2],
}

impl Model {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            versions: Versions::new(),
            remembered: Remembered::default(),
            rows: Default::default(),
            returned: Default::default(),
        })
    }

    /// Merges a record about a tag of the token.
    fn merge(&self, tag: usize) {
        let row = || self.rows[tag].store(true, Ordering::Relaxed);
        self.versions.write(TAGS[tag], row);
        self.returned[tag].store(true, Ordering::Release);
    }

    /// Merges a record about another tag with the same counter.
    fn merge_another(&self, tag: usize) {
        self.versions.write(TAGS[tag], || ());
    }

    fn is_covered(&self) -> bool {
        let find = |row: &AtomicBool| row.load(Ordering::Relaxed).then_some(());
        let look_up = || self.rows.iter().find_map(find);
        self.versions
            .check(&self.remembered, &TAGS, look_up)
            .is_some()
    }

    /// Checks the token, which must be covered if a merge returned before.
    fn check(&self) {
        let returned = self.returned.each_ref();
        let returned = returned.map(|returned| returned.load(Ordering::Acquire));
        let is_covered = self.is_covered();
        assert!(is_covered || returned == [false; 2], "missed a record");
    }
}

fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(INTERRUPTIONS);
    builder.check(test);
}

fn spawn(model: &Arc<Model>, act: impl Fn(&Model) + 'static) -> thread::JoinHandle<()> {
    let model = model.clone();
    thread::spawn(move || act(&model))
}

#[test]
fn two_checks_that_share_a_memory_miss_no_record() {
    model(|| {
        let model = Model::new();
        let threads = [
            spawn(&model, |model| model.merge(0)),
            spawn(&model, Model::check),
        ];
        model.check();
        for thread in threads {
            thread.join().unwrap();
        }
        model.check();
    });
}

#[test]
fn two_checks_miss_neither_of_two_records() {
    model(|| {
        let model = Model::new();
        let threads = [
            spawn(&model, |model| model.merge(0)),
            spawn(&model, |model| model.merge(1)),
            spawn(&model, Model::check),
        ];
        model.check();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// The sums of different counters are equal: one has the record, the other has another record.
#[test]
fn sum_of_other_counters_hides_no_record() {
    model(|| {
        let model = Model::new();
        let threads = [
            spawn(&model, |model| model.merge(0)),
            spawn(&model, |model| model.merge_another(1)),
            spawn(&model, Model::check),
        ];
        model.check();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
