//! The gauges of an index.
//!
//! The clock's thread sets the gauges, so the recorder is global and this test needs its own
//! process.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::executor::block_on;
use tower_revocation::{
    enforce::Index,
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector},
};

#[path = "../fixture/recorder.rs"]
mod recorder;

use recorder::{Recorder, Value};

fn gauges(recorder: &Recorder) -> BTreeMap<String, f64> {
    let snapshot = recorder.take().into_iter();
    let gauges = snapshot.filter_map(|(key, value)| match value {
        Value::Gauge(value) => Some((key.name().to_owned(), value)),
        _ => None,
    });
    gauges.collect()
}

#[test]
fn size_age_and_freshness_of_an_index_are_gauges() {
    let recorder = Recorder::new();
    metrics::set_global_recorder(recorder.clone()).unwrap();

    let log = MemoryLog::new();
    let index = block_on(Index::follow(&log)).unwrap();
    let record = |name| Revocation::forever(Selector::grant(name), NumericDate::FOREVER);
    let begun = Instant::now();
    block_on(log.append(vec![record("g1"), record("g2")])).unwrap();

    let gauges = loop {
        let gauges = gauges(&recorder);
        let said = gauges.contains_key("tower_revocation_index_applied_age_seconds");
        if said && gauges.get("tower_revocation_index_records") == Some(&2.0) {
            break gauges;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{gauges:?}");
        std::thread::yield_now();
    };
    assert_eq!(gauges["tower_revocation_watched_streams"].to_bits(), 0);
    // Only this process appends to the log.
    assert_eq!(
        gauges["tower_revocation_index_freshness_seconds"].to_bits(),
        0
    );
    let age = gauges["tower_revocation_index_applied_age_seconds"];
    assert!(
        (0.0..=begun.elapsed().as_secs_f64() + 1.0).contains(&age),
        "{age}"
    );
    drop(index);
}
