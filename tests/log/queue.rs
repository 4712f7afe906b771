//! What an operator sees of the writes of a log.
//!
//! The thread of the log writes some of the series, so the recorder is global: this test needs a
//! process of its own.
#![cfg(unix)]

use std::{
    collections::BTreeMap,
    error::Error as _,
    fs,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
};

use futures::executor::block_on;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tower_revocation::{
    Error, ErrorKind,
    log::{
        EmbeddedLog, LogErrorKind, NumericDate, Position, Reader, Revocation, RevocationLog as _,
        Selector,
    },
};

/// Holds up the thread that writes, until something is sent.
struct Held(Mutex<Receiver<()>>);

impl Reader for Held {
    fn read(&self, _: Position, records: &[Revocation]) {
        if !records.is_empty() {
            let _ = self.0.lock().unwrap().recv();
        }
    }
}

/// What was counted, by name and labels: the values of a histogram, and the ups and downs of a gauge.
type Seen = BTreeMap<String, i64>;

/// Adds what has happened since the last time: a snapshot begins everything anew.
fn look(snapshotter: &Snapshotter, seen: &mut Seen) {
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let key = key.key();
        let labels = key.labels().map(|label| format!(" {}", label.value()));
        let value = match value {
            DebugValue::Counter(count) => i64::try_from(count).unwrap(),
            DebugValue::Histogram(values) => i64::try_from(values.len()).unwrap(),
            DebugValue::Gauge(value) => value.into_inner().to_string().parse().unwrap(),
        };
        let series = format!("{}{}", key.name(), labels.collect::<String>());
        *seen.entry(series).or_default() += value;
    }
}

fn record(number: usize) -> Vec<Revocation> {
    let grant = Selector::grant(&number.to_string());
    vec![Revocation::forever(grant, NumericDate::FOREVER)]
}

const QUEUED: &str = "tower_revocation_log_queued_writes";
const DURABLE: &str = "tower_revocation_log_write_duration_seconds durable";
const FAILED: &str = "tower_revocation_log_write_duration_seconds failed";
const REFUSED: &str = "tower_revocation_log_refused_writes_total";

#[test]
fn writes_are_gauged_while_they_wait_timed_until_they_end_and_counted_if_refused() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();

    let (release, released) = channel();
    let held = Arc::new(Held(Mutex::new(released)));
    let reader: Arc<dyn Reader> = held.clone();
    let position = block_on(log.snapshot()).unwrap().position;
    block_on(log.tail(position, Arc::downgrade(&reader))).unwrap();

    let first = log.append(record(0));
    let mut seen = Seen::new();
    look(&snapshotter, &mut seen);
    while seen[QUEUED] != 0 {
        std::thread::yield_now();
        look(&snapshotter, &mut seen);
    }
    let (greedy, other) = (Selector::client("greedy"), Selector::client("other"));
    let quota: Vec<_> = (1..=1024)
        .map(|number| log.append_for(greedy, usize::MAX, record(number)))
        .collect();
    let refused = block_on(log.append_for(greedy, usize::MAX, record(2000))).unwrap_err();
    assert_eq!(refused.kind(), LogErrorKind::QueueFull);
    // Any client can bring that about: it is 503, and no alarm.
    let told = refused.source().unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(told.kind(), ErrorKind::Unavailable);
    assert!(!told.is_alarm());
    let others = log.append_for(other, usize::MAX, record(3000));
    look(&snapshotter, &mut seen);
    assert_eq!(seen[QUEUED], 1025);
    assert_eq!(seen[&format!("{REFUSED} queue_quota")], 1);
    assert_eq!(seen.get(DURABLE), None);

    drop(release);
    block_on(first).unwrap();
    for append in quota {
        block_on(append).unwrap();
    }
    block_on(others).unwrap();
    look(&snapshotter, &mut seen);
    assert_eq!((seen[QUEUED], seen[DURABLE]), (0, 1026));

    fs::remove_file(&path).unwrap();
    block_on(log.append(record(4000))).unwrap_err();
    block_on(log.append(record(4000))).unwrap_err();
    look(&snapshotter, &mut seen);
    assert_eq!((seen[QUEUED], seen[FAILED]), (0, 1));
    assert_eq!(seen[&format!("{REFUSED} not_writable")], 1);
}
