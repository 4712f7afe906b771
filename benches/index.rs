//! The time of a lookup in an index with one million and ten million records, and the memory that they
//! take.
//!
//! ```sh
//! cargo bench --bench index
//! ```
//!
//! Selectors are created in advance and looked up in random order, so that most lookups miss the
//! caches. The same run measures the simplest index, `RwLock<HashMap<..>>`. Then it looks up whole live
//! tokens in an index with records of each class.

mod selector;

use std::{
    collections::HashMap,
    hint::black_box,
    sync::{Arc, Barrier, RwLock, Weak},
    thread,
    time::Instant,
};

use futures::executor::block_on;
use tower_revocation::{
    enforce::Index,
    introspect::{Introspection, TokenKind},
    log::{
        Durability, LogError, LogHealth, MemoryLog, Moment, NumericDate, Position, Reader,
        Revocation, RevocationLog, Selector, SelectorClass,
    },
};

use selector::selector;

const MILLION: u64 = 1_000_000;
const ROUNDS: usize = 5;
/// The number of lookups of each thread in a round.
const QUESTIONS: usize = 500_000;
const EXPIRES: NumericDate = NumericDate::new(4_000_000_000);

/// A log with this many records, which it passes to readers in pieces.
struct Full(u64);

impl RevocationLog for Full {
    async fn append(&self, _: Vec<Revocation>) -> Result<Position, LogError> {
        unreachable!("nothing is appended")
    }

    async fn follow(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        let reader = reader.upgrade().expect("an index");
        for first in (0..self.0).step_by(100_000) {
            let numbers = first..self.0.min(first + 100_000);
            let records: Vec<_> = numbers.map(record).collect();
            reader.read(&records);
        }
        reader.complete(Position::default(), Moment::now());
        Ok(())
    }

    fn health(&self) -> LogHealth {
        LogHealth::writable()
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

fn record(number: u64) -> Revocation {
    Revocation::forever(selector(number), EXPIRES)
}

/// Nanoseconds for a lookup with several threads at once. The best of some rounds.
fn ask(
    threads: usize,
    from: u64,
    records: u64,
    covers: &(impl Fn(&Selector) -> bool + Sync),
) -> f64 {
    let barrier = Barrier::new(threads);
    let asked: Vec<Vec<Selector>> = (0..threads)
        .map(|thread| {
            let mut word = 0x0139_408d_cbbf_7a44 ^ (thread as u64) << 40;
            let mut number = || {
                // xorshift
                word ^= word << 13;
                word ^= word >> 7;
                word ^= word << 17;
                from + word % records
            };
            (0..QUESTIONS).map(|_| selector(number())).collect()
        })
        .collect();
    let round = || {
        let nanos = thread::scope(|scope| {
            let asking = asked.iter().map(|asked| {
                scope.spawn(|| {
                    barrier.wait();
                    let begun = Instant::now();
                    let hits = asked.iter().filter(|it| black_box(covers(it))).count();
                    assert!(hits == 0 || hits == asked.len());
                    begun.elapsed().as_secs_f64() * 1e9
                })
            });
            let asking: Vec<_> = asking.collect();
            asking
                .into_iter()
                .map(|it| it.join().expect("no panic"))
                .sum::<f64>()
        });
        nanos / float(QUESTIONS * threads)
    };
    (0..ROUNDS).map(|_| round()).fold(f64::MAX, f64::min)
}

fn float(count: impl TryInto<u32>) -> f64 {
    f64::from(
        count
            .try_into()
            .ok()
            .expect("less than four thousand million"),
    )
}

fn compare(records: u64) {
    let begun = Instant::now();
    let index = block_on(Index::follow(&Full(records))).expect("memory");
    let filling = begun.elapsed().as_secs_f64() * 1e9 / float(records);
    assert_eq!(index.len() as u64, records);
    println!(
        "{} million records: {:.1} bytes each, {filling:.0} ns to insert one",
        records / MILLION,
        float(index.memory()) / float(records)
    );
    let issued = NumericDate::new(1_300_819_380);
    let ours = |selector: &Selector| index.covers_selector(selector, Some(issued));

    let plain: Arc<RwLock<HashMap<Selector, Revocation>>> = Arc::default();
    let pairs = (0..records).map(|number| (selector(number), record(number)));
    plain.write().expect("no panic").extend(pairs);
    let plainly = |selector: &Selector| {
        let records = plain.read().expect("no panic");
        records
            .get(selector)
            .is_some_and(|record| record.covers(issued))
    };
    for threads in [1, 2] {
        for (what, from) in [("hit", 0), ("miss", records)] {
            let one = ask(threads, from, records, &ours);
            let other = ask(threads, from, records, &plainly);
            println!(
                "  {what}, {threads} thread(s): {one:.0} ns; RwLock<HashMap> {other:.0} ns, ratio {:.2}",
                one / other
            );
        }
    }
}

/// A live token with three or eight selectors.
fn token(number: u64, wide: bool) -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, format!("client {number}"));
    token.iat = Some(NumericDate::new(1_300_819_380));
    token.token = Some(selector(u64::MAX - number));
    token.grant = Some(format!("grant {number}"));
    if wide {
        token.sid = Some(format!("session {number}"));
        token.sub = Some(format!("subject {number}"));
        token.iss = Some("https://as.example.com".into());
        token.cnf.jkt = Some([7; 32]);
    }
    token
}

/// Nanoseconds for a whole live token: introspected anew, kept with a record about one of its counters
/// since the last check, and kept without one. The best of some rounds.
fn whole(index: &Index, wide: bool) -> [f64; 3] {
    let new: Vec<_> = (0..QUESTIONS as u64 / 10)
        .map(|it| token(it, wide))
        .collect();
    let kept: Vec<_> = new.iter().map(|it| it.clone().for_reuse()).collect();
    let asked = if wide { 8 } else { 3 };
    assert!(new.iter().all(|it| it.selectors().count() == asked));
    let check = |tokens: &[Introspection]| {
        let begun = Instant::now();
        for token in tokens {
            assert!(black_box(index.revoked_by(token)).is_none());
        }
        begun.elapsed().as_secs_f64() * 1e9 / float(tokens.len())
    };
    let mut best = [f64::MAX; 3];
    // The index keeps something from the second check on.
    for _ in 0..ROUNDS + 2 {
        let first = check(&new);
        // Known records: enough of them to move every counter.
        block_on(index.load(&Full(20_000))).expect("memory");
        let costs = [first, check(&kept), check(&kept)];
        for (best, cost) in best.iter_mut().zip(costs) {
            *best = best.min(cost);
        }
    }
    best
}

/// An index with this many records, some of every class.
fn tokens(records: u64) {
    let index = block_on(Index::follow(&Full(records))).expect("memory");
    let others = MemoryLog::new();
    let of_each = SelectorClass::ALL.iter().map(|class| {
        let mut bytes = [9; 33];
        bytes[0] = *class as u8;
        let selector = Selector::from_bytes(&bytes).expect("a class");
        Revocation::forever(selector, EXPIRES)
    });
    block_on(others.append(of_each.collect())).expect("memory");
    block_on(index.load(&others)).expect("memory");
    println!("{} million records:", records / MILLION);
    for (selectors, wide) in [(3, false), (8, true)] {
        let [new, kept, unchanged] = whole(&index, wide);
        println!(
            "  a live token of {selectors} selectors {new:.0} ns; kept {kept:.0} ns, ratio {:.2}; \
             kept and unchanged {unchanged:.0} ns, ratio {:.3}",
            kept / new,
            unchanged / new
        );
    }
}

fn main() {
    tokens(MILLION);
    tokens(10 * MILLION);
    compare(MILLION);
    compare(10 * MILLION);
}
