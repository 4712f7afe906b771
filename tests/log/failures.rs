//! What an operator sees of a log that fails.
//!
//! The thread of the log emits the events and the series, so recorder and subscriber are global:
//! this test needs a process of its own.
#![cfg(unix)]

use std::{
    fs,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures::executor::block_on;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tower_revocation::log::{
    EmbeddedLog, LogErrorKind, NumericDate, Revocation, RevocationLog as _, Selector,
};

/// The events, as text.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<u8>>>);

impl Write for Events {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Events {
    fn have(&self, text: &str) -> bool {
        let events = self.0.lock().unwrap();
        String::from_utf8_lossy(&events).contains(text)
    }
}

fn writable(snapshotter: &Snapshotter) -> Option<f64> {
    let series = snapshotter.snapshot().into_vec().into_iter();
    series
        .filter(|(key, ..)| key.key().name() == "tower_revocation_log_writable")
        .find_map(|(.., value)| match value {
            DebugValue::Gauge(value) => Some(value.into_inner()),
            _ => None,
        })
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn log_that_fails_and_recovers_is_a_gauge_a_counter_and_events() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    let events = Events::default();
    let writer = events.clone();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let folder = tempfile::tempdir().unwrap();
    let [path, away] = ["log.redb", "away.redb"].map(|name| folder.path().join(name));
    let log = EmbeddedLog::open(&path).unwrap();
    until("writable", || writable(&snapshotter) == Some(1.0));

    fs::rename(&path, &away).unwrap();
    let record = Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER);
    let error = block_on(log.append(vec![record])).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Missing);
    let again = error.retry_after().unwrap();
    assert!(again >= Duration::from_secs(1) && again <= Duration::from_secs(30));
    assert!(events.have("the log of revocations cannot be written"));
    assert!(events.have("there is no file at the log's path"));
    let series = snapshotter.snapshot().into_vec();
    let failures = series.iter().find(|(key, ..)| {
        let labels: Vec<_> = key.key().labels().collect();
        key.key().name() == "tower_revocation_log_failures_total"
            && labels.iter().any(|label| label.value() == "missing")
    });
    assert!(failures.is_some(), "{series:?}");

    fs::rename(&away, &path).unwrap();
    until("recovered", || log.health().is_writable());
    until("writable again", || writable(&snapshotter) == Some(1.0));
    assert!(events.have("the log of revocations can be written again"));
    block_on(log.append(vec![record])).unwrap();
}
