//! The time from a restart until the index is ready, its memory, and the time of an append compared
//! with the disk.
//!
//! ```sh
//! cargo bench --bench startup
//! ```
//!
//! Files are written below `target/`, because the system's temporary folder can be in memory.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::executor::block_on;
use tower_revocation::{
    enforce::Index,
    log::{
        EmbeddedLog, Moment, NumericDate, Position, Reader, Revocation, RevocationLog, Selector,
    },
};

const RECORDS: u64 = 1_000_000;
const APPENDS: u64 = 5_000;

fn main() {
    let folder = tempfile::TempDir::with_prefix_in("bench-", env!("CARGO_TARGET_TMPDIR"));
    let folder = folder.expect("a folder on the disk");
    let file = folder.path().join("log.redb");
    block_on(async {
        let crashed = fill(&file).await;
        println!("after a clean end:");
        for _ in 0..5 {
            start(&file).await;
        }
        println!("after a crash:");
        for _ in 0..5 {
            let again = file.with_extension("again");
            std::fs::copy(&crashed, &again).expect("there is room");
            start(&again).await;
        }
        append(&folder.path().join("small.redb"), 0).await;
        append(&file, RECORDS).await;
    });
}

/// A log with this many revocations. Returns the path of a copy that was never closed.
async fn fill(file: &Path) -> PathBuf {
    let begun = Instant::now();
    let log = EmbeddedLog::open(file).expect("a new file");
    let mut left = RECORDS;
    while left > 0 {
        let batch: Vec<_> = (0..left.min(10_000)).map(|_| fresh()).collect();
        left -= batch.len() as u64;
        log.append(batch).await.expect("the disk works");
    }
    let size = file.metadata().expect("it is there").len();
    println!(
        "{RECORDS} records written in {:.1?}, {} MiB",
        begun.elapsed(),
        size >> 20
    );
    let crashed = file.with_extension("crashed");
    std::fs::copy(file, &crashed).expect("there is room");
    crashed
}

/// Opens the file and waits until the index is ready.
async fn start(file: &Path) {
    let before = resident();
    let begun = Instant::now();
    let log = EmbeddedLog::open(file).expect("a whole file");
    let opened = begun.elapsed();
    let index = Index::follow(&log).await.expect("a whole file");
    let ready = begun.elapsed();
    assert_eq!(index.len() as u64, RECORDS);
    println!(
        "  opened after {opened:.2?}, ready after {ready:.2?}; index {} MiB, resident {} MiB more",
        index.memory() >> 20,
        resident().saturating_sub(before) >> 20
    );
}

/// The time at which this reader was called. The readers before it know the record by then.
#[derive(Default)]
struct Told {
    index: Option<Index>,
    at: Mutex<Option<Instant>>,
}

impl Reader for Told {
    fn read(&self, records: &[Revocation]) {
        let now = Instant::now();
        let is_known = |index: &Index| {
            let mut selectors = records.iter().map(Revocation::selector);
            selectors.all(|selector| index.covers_selector(&selector, None))
        };
        assert!(self.index.as_ref().is_none_or(is_known));
        *self.at.lock().expect("no reader panics") = Some(now);
    }

    fn complete(&self, _: Position, _: Moment) {}

    fn forgotten(&self, _: NumericDate) {}
}

impl Told {
    async fn by(log: &EmbeddedLog, index: Option<Index>) -> Arc<Self> {
        let told = Arc::new(Self {
            index,
            at: Mutex::default(),
        });
        let reader: Arc<dyn Reader> = told.clone();
        log.follow(Arc::downgrade(&reader))
            .await
            .expect("a whole file");
        told
    }

    fn take(&self) -> Instant {
        let at = self.at.lock().expect("no reader panics").take();
        at.expect("called before the append returned")
    }
}

/// The log calls readers in order: one before the index and one after it.
async fn append(file: &Path, records: u64) {
    let log = EmbeddedLog::open(file).expect("a whole file");
    let durable = Told::by(&log, None).await;
    let index = Index::follow(&log).await.expect("a whole file");
    let visible = Told::by(&log, Some(index)).await;
    let bare = preallocated(&file.with_extension("bare"));

    let mut times = [const { Vec::new() }; 5];
    for _ in 0..APPENDS {
        let begun = Instant::now();
        bare.write_all_at(&[7; 64], 0).expect("the file is there");
        bare.sync_data().expect("the disk works");
        let fsync = begun.elapsed();
        let begun = Instant::now();
        log.append(vec![fresh()]).await.expect("the disk works");
        let answered = begun.elapsed();
        let (durable, visible) = (durable.take(), visible.take());
        let all = [
            fsync,
            durable - begun,
            visible - durable,
            (visible - begun).saturating_sub(fsync),
            answered,
        ];
        for (times, time) in times.iter_mut().zip(all) {
            times.push(time);
        }
    }
    println!("{APPENDS} appends to a log of {records}:");
    print("a bare fsync", &mut times[0]);
    print("append to durable", &mut times[1]);
    print("durable to visible", &mut times[2]);
    print("append to visible, less the fsync", &mut times[3]);
    print("append to answer", &mut times[4]);
}

/// A file whose size and metadata do not change, so that a sync is one write to the disk.
fn preallocated(path: &Path) -> File {
    std::fs::write(path, [0; 4096]).expect("the folder is there");
    let file = File::options().write(true).open(path).expect("as above");
    file.sync_all().expect("the disk works");
    file
}

fn print(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| times[times.len() * percent / 100];
    println!("  {name}: p50 {:.1?}, p99 {:.1?}", at(50), at(99));
}

/// A grant that was not revoked before: a repeated revocation writes nothing.
fn fresh() -> Revocation {
    static GRANTS: AtomicU64 = AtomicU64::new(0);
    let grant = format!("g{}", GRANTS.fetch_add(1, Ordering::Relaxed));
    Revocation::forever(Selector::grant(&grant), NumericDate::FOREVER)
}

/// The resident memory of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}
