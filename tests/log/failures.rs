//! The events and series of a log that fails.
//!
//! The thread of the log emits them, so recorder and subscriber are global: this test needs a
//! process of its own.
#![cfg(unix)]

use std::{
    fs,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures::executor::block_on;
use tower_revocation::log::{
    EmbeddedLog, LogErrorKind, NumericDate, Revocation, RevocationLog as _, Selector,
};

#[path = "../fixture/recorder.rs"]
mod recorder;

use recorder::{Recorder, Value};

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
    fn contain(&self, text: &str) -> bool {
        let events = self.0.lock().unwrap();
        String::from_utf8_lossy(&events).contains(text)
    }
}

fn writable(recorder: &Recorder) -> Option<f64> {
    let series = recorder.take().into_iter();
    series
        .filter(|(key, ..)| key.name() == "tower_revocation_log_writable")
        .find_map(|(.., value)| match value {
            Value::Gauge(value) => Some(value),
            _ => None,
        })
}

/// Waits until a condition is met.
fn wait_until(what: &str, mut is_met: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_met() {
        assert!(started.elapsed() < Duration::from_secs(60), "never {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn failure_and_recovery_of_a_log_show_in_series_and_events() {
    let recorder = Recorder::new();
    metrics::set_global_recorder(recorder.clone()).unwrap();
    let events = Events::default();
    let writer = events.clone();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let folder = tempfile::tempdir().unwrap();
    let [path, away] = ["log.redb", "away.redb"].map(|name| folder.path().join(name));
    let log = EmbeddedLog::open(&path).unwrap();
    wait_until("writable", || writable(&recorder) == Some(1.0));

    fs::rename(&path, &away).unwrap();
    let record = Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER);
    let error = block_on(log.append(vec![record])).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Missing);
    let delay = error.retry_delay().unwrap();
    assert!(delay >= Duration::from_secs(1) && delay <= Duration::from_secs(30));
    assert!(events.contain("the log of revocations cannot be written"));
    assert!(events.contain("there is no file at the path of the log"));
    let series = recorder.take();
    let failures = series.iter().find(|(key, ..)| {
        let labels: Vec<_> = key.labels().collect();
        key.name() == "tower_revocation_log_failures_total"
            && labels.iter().any(|label| label.value() == "missing")
    });
    assert!(failures.is_some(), "{series:?}");

    fs::rename(&away, &path).unwrap();
    wait_until("recovered", || log.health().is_writable());
    wait_until("writable again", || writable(&recorder) == Some(1.0));
    assert!(events.contain("the log of revocations can be written again"));
    block_on(log.append(vec![record])).unwrap();
}
