//! What the table guarantees if loads may return old values.
//!
//! `tests/run` runs these tests with `--cfg loom` for this crate. loom tries the orders of the
//! threads, and for each load every value that the memory model of C11 allows there. The lock of
//! the rows would hide a wrong order of the counters, so a row is an atomic without any order here.
//! The tests in `swept.rs` and `fresh.rs` use the table itself.
//!
//! The exchange of a table depends on locks alone. So `interleavings.rs` tests it.

mod fresh;
mod swept;

use std::{array, cell::Cell, sync::LazyLock};

use loom::{
    model::Builder,
    sync::{Arc, atomic::AtomicBool},
    thread,
};

use super::{super::sync::AtomicU64, *};

/// How often a thread is interrupted. Each further time takes about ten times as long.
const INTERRUPTIONS: usize = 2;

/// loom repeats a test, and each time the tags must choose the same shards and counters.
static TAGGER: LazyLock<Tagger> = LazyLock::new(Tagger::random);

/// The tags of one token, with counters of their own.
const TAGS: [Tag; 2] = [Tag([7, 7, 7, 0]), Tag([7, 7, 7, 1 << 3])];

/// A table whose rows have no lock, and a token that several threads check.
struct Model {
    versions: Versions,
    remembered: AtomicU64,
    /// Whether the tag is made.
    made: [AtomicBool; 2],
    /// The number of records of the class of the tag.
    classes: [AtomicUsize; 2],
    rows: [AtomicBool; 2],
    returned: [AtomicBool; 2],
}

impl Model {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            versions: Versions::new(),
            remembered: AtomicU64::new(0),
            made: Default::default(),
            classes: Default::default(),
            rows: Default::default(),
            returned: Default::default(),
        })
    }

    /// Merges a record about a tag of the token.
    fn merge(&self, tag: usize) {
        self.versions.write(TAGS[tag], || {
            self.rows[tag].store(true, Ordering::Relaxed);
            self.classes[tag].fetch_add(1, Ordering::Release);
        });
        self.returned[tag].store(true, Ordering::Release);
    }

    /// Merges a record about another tag with the same class and the same counter.
    fn merge_another(&self, tag: usize) {
        self.versions.write(TAGS[tag], || {
            self.classes[tag].fetch_add(1, Ordering::Release);
        });
    }

    /// As a token has it whose tags are all made.
    fn make_all(&self) {
        for made in &self.made {
            made.store(true, Ordering::Release);
        }
    }

    /// Whether the token has this tag in a check, as `OnceLock` and the table have it.
    fn has_tag(&self, tag: usize) -> bool {
        if self.made[tag].load(Ordering::Acquire) {
            return true;
        }
        let needs = self.classes[tag].load(Ordering::Acquire) > 0;
        if needs {
            self.made[tag].store(true, Ordering::Release);
        }
        needs
    }

    fn is_covered(&self) -> bool {
        let used = Cell::new([false; 2]);
        let tags = (0..2).filter(|tag| self.has_tag(*tag)).map(|tag| {
            used.set(array::from_fn(|other| used.get()[other] || other == tag));
            TAGS[tag]
        });
        let look_up = || {
            let is_there =
                |tag: &usize| used.get()[*tag] && self.rows[*tag].load(Ordering::Relaxed);
            (0..2).find(is_there)
        };
        self.versions
            .check(&self.remembered, tags, look_up)
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
        model.make_all();
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
        model.make_all();
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
        model.make_all();
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

/// The class of the tag gets its first record, which is about this tag or about another.
#[test]
fn tag_that_is_made_late_hides_no_record() {
    model(|| {
        let model = Model::new();
        let threads = [
            spawn(&model, |model| {
                model.merge_another(1);
                model.merge(0);
            }),
            spawn(&model, Model::check),
        ];
        model.check();
        for thread in threads {
            thread.join().unwrap();
        }
        model.check();
    });
}
