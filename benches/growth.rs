//! How long does a look-up take while the index grows or removes expired records, and how much memory
//! do the records take before and after?
//!
//! ```sh
//! cargo bench --bench growth
//! ```
//!
//! One thread merges records. Another looks up selectors all the time and measures each look-up. A shard
//! doubles its size when it is full, and the 256 shards are full at about the same time. So if readers
//! had to wait, at least 256 look-ups would. Compare the longest look-ups with those of the same records
//! once more: nothing grows then, and what is left is the machine.

mod selector;

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    hint::black_box,
    ops::Range,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use futures::executor::block_on;
use tower_revocation::{
    enforce::Index,
    log::{
        Durability, LogError, LogHealth, NumericDate, Position, Reader, Revocation, RevocationLog,
        Selector,
    },
};

use selector::selector;

const MILLION: u64 = 1_000_000;
const RECORDS: u64 = 10 * MILLION;
/// The number of shards, each of which grows once while the number of records doubles.
const LONGEST: usize = 256;

const NOW: NumericDate = NumericDate::new(2_000_000_000);
const LATER: NumericDate = NumericDate::new(4_000_000_000);

/// A log that passes its reader on.
#[derive(Default)]
struct Merges(Mutex<Option<Weak<dyn Reader>>>);

impl RevocationLog for Merges {
    async fn append(&self, _: Vec<Revocation>) -> Result<Position, LogError> {
        unreachable!("nothing is appended")
    }

    async fn follow(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        *self.0.lock().expect("no panic") = Some(reader);
        Ok(())
    }

    fn health(&self) -> LogHealth {
        LogHealth::writable()
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

struct Measured {
    index: Index,
    reader: Arc<dyn Reader>,
    /// What is looked up, in this order.
    asked: Vec<Selector>,
}

impl Measured {
    fn new() -> Self {
        let log = Merges::default();
        let index = block_on(Index::follow(&log)).expect("memory");
        let reader = log.0.into_inner().expect("no panic").expect("followed");
        Self {
            reader: reader.upgrade().expect("an index"),
            index,
            // Half of them have a record at the end.
            asked: (0..1 << 16)
                .map(|it| selector(it * RECORDS / (1 << 15)))
                .collect(),
        }
    }

    /// Merges records, and returns how long that takes.
    fn merge(&self, numbers: Range<u64>, expires: NumericDate) -> Duration {
        let mut merging = Duration::ZERO;
        for first in numbers.clone().step_by(100_000) {
            let numbers = first..numbers.end.min(first + 100_000);
            let record = |number| Revocation::forever(selector(number), expires);
            let records: Vec<_> = numbers.map(record).collect();
            let begun = Instant::now();
            self.reader.read(&records);
            merging += begun.elapsed();
        }
        merging
    }

    fn sweep(&self) -> Duration {
        let begun = Instant::now();
        self.index.sweep(NOW);
        begun.elapsed()
    }

    /// Looks up selectors until a change is complete. Prints how long both took.
    fn during(&self, what: &str, change: impl FnOnce() -> Duration + Send) {
        let complete = AtomicBool::new(false);
        let (took, waits) = thread::scope(|scope| {
            let looking = scope.spawn(|| self.look_up_until(&complete));
            let took = change();
            complete.store(true, Ordering::Relaxed);
            (took, looking.join().expect("no panic"))
        });
        println!("{what}: {:.2} s", took.as_secs_f64());
        println!("  {waits}");
        let (records, memory) = (self.index.len(), self.index.memory());
        println!(
            "  {records} records, {:.1} bytes each",
            float(memory) / float(records)
        );
    }

    fn look_up_until(&self, complete: &AtomicBool) -> Waits {
        let mut waits = Waits::default();
        let mut asked = self.asked.iter().cycle();
        let mut last = Instant::now();
        while !complete.load(Ordering::Relaxed) {
            let selector = asked.next().expect("some");
            black_box(self.index.covers_selector(selector, None));
            let now = Instant::now();
            waits.add(now - last);
            last = now;
        }
        waits
    }
}

/// How long look-ups took.
#[derive(Default)]
struct Waits {
    count: u64,
    above_50_us: u64,
    longest: BinaryHeap<Reverse<Duration>>,
}

impl Waits {
    fn add(&mut self, wait: Duration) {
        self.count += 1;
        self.above_50_us += u64::from(wait > Duration::from_micros(50));
        if self.longest.len() < LONGEST {
            self.longest.push(Reverse(wait));
        } else if let Some(mut least) = self.longest.peek_mut()
            && wait > least.0
        {
            *least = Reverse(wait);
        }
    }
}

impl std::fmt::Display for Waits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut longest: Vec<_> = self
            .longest
            .iter()
            .map(|it| it.0.as_secs_f64() * 1e6)
            .collect();
        longest.sort_by(f64::total_cmp);
        write!(
            f,
            "{} look-ups: {} took more than 50 µs, the longest {:.0} µs, the median of the longest \
             {LONGEST} {:.0} µs",
            self.count,
            self.above_50_us,
            longest.last().copied().unwrap_or_default(),
            longest.get(longest.len() / 2).copied().unwrap_or_default()
        )
    }
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("less than four thousand million"))
}

fn main() {
    let measured = Measured::new();
    measured.during("the first million", || measured.merge(0..MILLION, LATER));
    measured.during("up to ten million", || {
        measured.merge(MILLION..RECORDS, LATER)
    });
    measured.during("the same again", || measured.merge(MILLION..RECORDS, LATER));
    measured.during("ten million more", || {
        measured.merge(RECORDS..2 * RECORDS, NOW)
    });
    measured.during("a sweep of half of them", || measured.sweep());
    measured.during("100,000 more", || {
        measured.merge(RECORDS..RECORDS + MILLION / 10, NOW)
    });
    measured.during("a sweep of one in a hundred", || measured.sweep());
}
