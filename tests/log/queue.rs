//! The series of the writes of a log.
//!
//! The thread of the log emits some of them, so the recorder is global: this test needs a process
//! of its own.
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
use tower_revocation::{
    Error, ErrorKind,
    log::{
        EmbeddedLog, LogErrorKind, Moment, NumericDate, Position, Reader, Revocation,
        RevocationLog as _, Selector,
    },
};

#[path = "../fixture/recorder.rs"]
mod recorder;

use recorder::{Recorder, Value};

/// A reader that blocks the writing thread until the sender is used or dropped.
struct Blocking(Mutex<Receiver<()>>);

impl Reader for Blocking {
    fn read(&self, _: &[Revocation]) {
        let _ = self.0.lock().unwrap().recv();
    }

    fn complete(&self, _: Position, _: Moment) {}

    fn forgotten(&self, _: NumericDate) {}
}

/// The totals by name and labels: counts, the number of values of a histogram, and the changes of a
/// gauge.
type Totals = BTreeMap<String, i64>;

/// Adds the changes since the last call: a snapshot resets every series.
fn update(recorder: &Recorder, totals: &mut Totals) {
    for (key, value) in recorder.take() {
        let labels = key.labels().map(|label| format!(" {}", label.value()));
        let value = match value {
            Value::Counter(count) => i64::try_from(count).unwrap(),
            Value::Histogram(values) => i64::try_from(values.len()).unwrap(),
            Value::Gauge(value) => value.to_string().parse().unwrap(),
        };
        let series = format!("{}{}", key.name(), labels.collect::<String>());
        *totals.entry(series).or_default() += value;
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
fn series_show_waiting_finished_and_refused_writes() {
    let recorder = Recorder::new();
    metrics::set_global_recorder(recorder.clone()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();

    let (release, released) = channel();
    let blocking = Arc::new(Blocking(Mutex::new(released)));
    let reader: Arc<dyn Reader> = blocking.clone();
    block_on(log.follow(Arc::downgrade(&reader))).unwrap();

    let first = log.append(record(0));
    let mut totals = Totals::new();
    update(&recorder, &mut totals);
    while totals[QUEUED] != 0 {
        std::thread::yield_now();
        update(&recorder, &mut totals);
    }
    let (greedy, other) = (Selector::client("greedy"), Selector::client("other"));
    let quota: Vec<_> = (1..=1024)
        .map(|number| log.append_for(greedy, usize::MAX, record(number)))
        .collect();
    let refused = block_on(log.append_for(greedy, usize::MAX, record(2000))).unwrap_err();
    assert_eq!(refused.kind(), LogErrorKind::QueueFull);
    // Any client can cause this: it is 503, and not an alarm.
    let error = refused.source().unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!error.is_alarm());
    let others = log.append_for(other, usize::MAX, record(3000));
    update(&recorder, &mut totals);
    assert_eq!(totals[QUEUED], 1025);
    assert_eq!(totals[&format!("{REFUSED} queue_quota")], 1);
    assert_eq!(totals.get(DURABLE), None);

    drop(release);
    block_on(first).unwrap();
    for append in quota {
        block_on(append).unwrap();
    }
    block_on(others).unwrap();
    update(&recorder, &mut totals);
    assert_eq!((totals[QUEUED], totals[DURABLE]), (0, 1026));

    fs::remove_file(&path).unwrap();
    block_on(log.append(record(4000))).unwrap_err();
    block_on(log.append(record(4000))).unwrap_err();
    update(&recorder, &mut totals);
    assert_eq!((totals[QUEUED], totals[FAILED]), (0, 1));
    assert_eq!(totals[&format!("{REFUSED} not_writable")], 1);
}
