//! What operators see of a fleet.

use std::collections::BTreeMap;

use metrics::Label;
use tower_revocation::log::{FleetLog, FleetMember, RevocationLog as _};

use crate::{
    events::Lines,
    nodes::{covers, grant, index, node, wait_until},
    postgres::Server,
    recorder::{Recorder, Value},
};

/// The series by name and label.
fn taken(recorder: &Recorder) -> BTreeMap<String, Value> {
    let named = recorder.take().into_iter().map(|(key, value)| {
        let labels: Vec<_> = key.labels().map(Label::value).collect();
        let name = key.name().trim_start_matches("tower_revocation_");
        (
            format!("{name} {}", labels.join(" ")).trim().to_owned(),
            value,
        )
    });
    named.collect()
}

fn lags(log: &FleetLog) -> Vec<u64> {
    log.members().iter().map(FleetMember::lag).collect()
}

#[test]
fn fleet_is_visible_in_the_series() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let recorder = Recorder::new();
    // All tasks of the nodes run on this thread.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let (one, other) = (node(&server).await, node(&server).await);
            let there = index(&other).await;
            for number in 0..3 {
                one.append(vec![grant(number)]).await.unwrap();
            }
            wait_until("known", || covers(&there, 2)).await;
            wait_until("listed", || lags(&one) == [0, 0]).await;
            let series = taken(&recorder);
            let Value::Histogram(writes) = &series["log_write_duration_seconds durable"] else {
                panic!("{series:?}");
            };
            assert_eq!(writes.len(), 3);
            let Value::Histogram(polls) = &series["fleet_poll_duration_seconds answered"] else {
                panic!("{series:?}");
            };
            assert!(polls.len() >= 4, "{polls:?}");
            assert_eq!(series["log_queued_writes"], Value::Gauge(0.0));
            assert_eq!(series["fleet_members"], Value::Gauge(2.0));
            assert_eq!(series["fleet_largest_lag"], Value::Gauge(0.0));
            assert!(!series.contains_key("fleet_incarnations_total"));

            server.stop("KILL");
            one.append(vec![grant(9)]).await.unwrap_err();
            let series = taken(&recorder);
            let Value::Histogram(writes) = &series["log_write_duration_seconds failed"] else {
                panic!("{series:?}");
            };
            assert_eq!(writes.len(), 1);
            wait_until("not writable", || !one.health().is_writable()).await;
            one.append(vec![grant(9)]).await.unwrap_err();
            let series = taken(&recorder);
            let refused = &series["log_refused_writes_total not_writable"];
            assert_eq!(*refused, Value::Counter(1));
        });
    });
}

#[tokio::test]
async fn reading_of_a_long_log_is_visible() {
    const RECORDS: usize = 20_000;
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let one = node(&server).await;
    for first in (0..RECORDS).step_by(1000) {
        let records = (first..first + 1000).map(grant).collect();
        one.append(records).await.unwrap();
    }
    let recorder = Recorder::new();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (lines, _listening) = Lines::listen();
    let log = node(&server).await;
    let (mut records, mut expected, mut bytes, mut read) = (0.0_f64, 0.0_f64, 0.0_f64, 0);
    let mut reasons = Vec::new();
    let mut look = || {
        let series = taken(&recorder);
        let gauge = |name: &str| match series.get(name) {
            Some(Value::Gauge(gauge)) => *gauge,
            _ => 0.0,
        };
        records = records.max(gauge("fleet_loading_records"));
        expected = expected.max(gauge("fleet_loading_expected_records"));
        bytes = bytes.max(gauge("fleet_loading_bytes"));
        if let Some(Value::Counter(count)) = series.get("fleet_read_records_total") {
            read += count;
        }
        reasons.extend(log.health().reason());
    };
    // Until its first poll is answered completely.
    while !log.health().is_ready() {
        look();
        tokio::task::yield_now().await;
    }
    look();
    assert!((4096.0..20_000.0).contains(&records), "{records}");
    assert_eq!((expected, bytes), (20_000.0, records * 49.0));
    assert!(read >= RECORDS as u64, "{read}");
    let is_progress = |reason: &String| {
        reason.starts_with("reading the log: ") && reason.contains(" of about 20,000 records")
    };
    assert!(reasons.iter().any(is_progress), "{reasons:?}");
    let lines = lines.take();
    for event in [
        "began to read the log of the fleet expected=20000",
        "read the log of the fleet records=20000 bytes=980000",
    ] {
        assert_eq!(lines.matches(event).count(), 1, "{lines}");
    }
}
