//! Durable revocations per second, compared with one commit for each and with the disk itself. Also
//! compares lookups of a token on the calling thread and on another one.
//!
//! ```sh
//! cargo bench --bench durability
//! ```
//!
//! Files are written below `target/`, because the system's temporary folder can be in memory.

use std::{
    fs::File,
    hint::black_box,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, criterion_group};
use futures::{executor::block_on, future::join_all};
use redb::{Database, TableDefinition};
use tempfile::TempDir;
use tokio::{runtime::Runtime, task::spawn_blocking};
use tower_revocation::{
    Secret,
    introspect::issued::{Grant, IssuedTokens, NewToken},
    log::{EmbeddedLog, NumericDate, Revocation, RevocationLog, Selector},
};

fn folder() -> TempDir {
    TempDir::with_prefix_in("bench-", env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk")
}

/// How many callers revoke at the same time.
const CALLERS: [u64; 3] = [1, 8, 64];
/// The disk changes its speed within seconds, so the parts take turns, and each round has a ratio of
/// its own.
const ROUNDS: usize = 15;
/// How long one part runs in a round.
const TURN: Duration = Duration::from_millis(400);

/// Compares the rates of one round with the naive rate of that round.
fn revocations() {
    let folder = folder();
    let file = preallocated(folder.path());
    let naive = Naive::new(folder.path());
    let log = EmbeddedLog::open(folder.path().join("log.redb")).expect("a new file");
    let runtime = Runtime::new().expect("threads can be started");

    let mut parts: Vec<(String, Box<dyn FnMut() -> f64>)> = vec![
        (
            "one transaction for each revocation (naive)".into(),
            Box::new(|| rate(|| naive.revoke(&fresh()))),
        ),
        (
            "a bare fsync of 64 bytes".into(),
            Box::new(|| rate(|| sync(&file))),
        ),
    ];
    for callers in CALLERS {
        let (log, runtime) = (&log, &runtime);
        let name = format!("EmbeddedLog::append, {callers} callers");
        let shared = move || runtime.block_on(shared_rate(log, callers));
        parts.push((name, Box::new(shared)));
    }

    let mut rates = vec![Vec::new(); parts.len()];
    for round in 0..=ROUNDS {
        for ((_, part), rates) in parts.iter_mut().zip(&mut rates) {
            let rate = part();
            // The first round makes the files and the threads.
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    println!("durable revocations, medians of {ROUNDS} rounds\n");
    println!("{:<45} {:>10}   × naive (middle half)", "", "per second");
    for ((name, _), own) in parts.iter().zip(&rates) {
        let mut ratios: Vec<f64> = own
            .iter()
            .zip(&rates[0])
            .map(|(own, it)| own / it)
            .collect();
        ratios.sort_by(f64::total_cmp);
        let mut own = own.clone();
        own.sort_by(f64::total_cmp);
        let quarter = ROUNDS / 4;
        println!(
            "{name:<45} {:>10.0}   {:.2} ({:.2} to {:.2})",
            own[ROUNDS / 2],
            ratios[ROUNDS / 2],
            ratios[quarter],
            ratios[ROUNDS - 1 - quarter],
        );
    }
    println!();
}

/// How often a second an action can be done, one after another.
fn rate(mut act: impl FnMut()) -> f64 {
    let (begun, mut done) = (Instant::now(), 0.0);
    while begun.elapsed() < TURN {
        act();
        done += 1.0;
    }
    done / begun.elapsed().as_secs_f64()
}

fn sync(file: &File) {
    file.write_all_at(&[7; 64], 0).expect("the file is there");
    file.sync_data().expect("the disk works");
}

/// The rate of `callers` callers. Each waits for its revocation before it starts the next.
async fn shared_rate(log: &EmbeddedLog, callers: u64) -> f64 {
    let begun = Instant::now();
    let callers = (0..callers).map(|_| {
        let log = log.clone();
        tokio::spawn(async move {
            let mut done = 0.0;
            while begun.elapsed() < TURN {
                let appended = log.append(vec![fresh()]).await;
                appended.expect("the disk works");
                done += 1.0;
            }
            done
        })
    });
    let done = join_all(callers).await.into_iter();
    let done: f64 = done.map(|done| done.expect("no caller panics")).sum();
    done / begun.elapsed().as_secs_f64()
}

/// A grant that was not revoked before: a repeated revocation writes nothing.
fn fresh() -> Revocation {
    static GRANTS: AtomicU64 = AtomicU64::new(0);
    let grant = format!("g{}", GRANTS.fetch_add(1, Ordering::Relaxed));
    Revocation::forever(Selector::grant(&grant), NumericDate::FOREVER)
}

/// A file whose size and metadata do not change, so that a sync is one write to the disk.
fn preallocated(folder: &Path) -> File {
    let path = folder.join("bare");
    std::fs::write(&path, [0; 4096]).expect("the folder is there");
    let file = File::options().write(true).open(path).expect("as above");
    file.sync_all().expect("the disk works");
    file
}

/// One transaction, and thus one fsync, for each revocation, in the same table of the same store.
struct Naive(Database);

const RECORDS: TableDefinition<'_, u64, (&[u8; 33], u64, u64)> = TableDefinition::new("records");

impl Naive {
    fn new(folder: &Path) -> Self {
        Self(Database::create(folder.join("naive.redb")).expect("a new file"))
    }

    fn revoke(&self, record: &Revocation) {
        self.try_revoke(record).expect("the disk works");
    }

    fn try_revoke(&self, record: &Revocation) -> Result<(), redb::Error> {
        let selector = record.selector().to_bytes();
        let (not_before, expires) = (record.not_before().seconds(), record.expires().seconds());
        let transaction = self.0.begin_write()?;
        {
            let mut records = transaction.open_table(RECORDS)?;
            let last = redb::ReadableTable::last(&records)?.map_or(0, |(last, _)| last.value());
            records.insert(last + 1, (&selector, not_before, expires))?;
        }
        transaction.commit()?;
        Ok(())
    }
}

fn look_ups(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("threads can be started");
    let mut group = criterion.benchmark_group("introspect");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    for tokens in [1_000, 1_000_000] {
        let folder = folder();
        let (store, known) = issue(folder.path(), tokens);
        let mut turn = known.iter().cycle();
        let mut next = || turn.next().expect("tokens were issued").clone();
        group.bench_function(BenchmarkId::new("inline", tokens), |bencher| {
            bencher.iter(|| {
                let found = block_on(store.introspect(&black_box(next())));
                found.expect("a whole file")
            });
        });
        group.bench_function(BenchmarkId::new("spawn_blocking", tokens), |bencher| {
            // From a thread of the runtime, like a server.
            bencher.iter_custom(|times| {
                let tokens: Vec<Secret> = (0..times).map(|_| next()).collect();
                let store = store.clone();
                let handing_over = runtime.spawn(async move {
                    let begun = Instant::now();
                    for token in tokens {
                        let store = store.clone();
                        let found =
                            spawn_blocking(move || block_on(store.introspect(&token))).await;
                        black_box(found.expect("no panic").expect("a whole file"));
                    }
                    begun.elapsed()
                });
                runtime.block_on(handing_over).expect("no panic")
            });
        });
    }
    group.finish();
}

/// A sample of the tokens, evenly spread.
fn issue(folder: &Path, tokens: usize) -> (IssuedTokens, Vec<Secret>) {
    const GRANT: usize = 1_000;
    let log = EmbeddedLog::open(folder.join("tokens.redb")).expect("a new file");
    block_on(async {
        let store = IssuedTokens::open(log).await.expect("a new file");
        let hour = Duration::from_secs(3600);
        let mut known = Vec::new();
        for grant in 0..tokens / GRANT {
            let grant = Grant::new(format!("g{grant}"), "s6BhdRkqt3").subject("alice");
            let issued = store
                .issue(grant, vec![NewToken::access_token(hour); GRANT])
                .await;
            let issued = issued.expect("the disk works").expect("the grant is new");
            known.extend(issued.into_iter().step_by(100).map(|issued| issued.token));
        }
        (store, known)
    })
}

criterion_group!(benches, look_ups);

fn main() {
    revocations();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
