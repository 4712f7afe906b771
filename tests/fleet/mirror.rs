//! Records in a file beside the node: a restart reads only the rest, and an emptied server gets
//! everything back.

use std::{
    error::Error as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use metrics::set_default_local_recorder;
use tower_revocation::{
    enforce::Index,
    log::{FleetLog, LogErrorKind, RevocationLog as _},
};

use crate::{
    nodes::{LEASE, covers, grant, index, wait_until},
    postgres::Server,
    recorder::{Recorder, Value},
    redis,
};

async fn node(url: &str, mirror: &Path) -> FleetLog {
    let builder = FleetLog::builder(url).lease(LEASE).mirror(mirror);
    builder.connect().await.expect("the server answers")
}

async fn append(log: &FleetLog, numbers: std::ops::Range<usize>) {
    for first in numbers.clone().step_by(1000) {
        let last = numbers.end.min(first + 1000);
        let records = (first..last).map(grant).collect();
        log.append(records).await.unwrap();
    }
}

/// A node with a mirror of everything, that has ended since.
async fn leave_mirror(url: &str, mirror: &Path, records: usize) {
    let log = node(url, mirror).await;
    append(&log, 0..records).await;
    let index = index(&log).await;
    wait_until("read", || index.len() == records).await;
    mirrored().await;
    log.close().await.unwrap();
}

/// Waits until the file has everything.
async fn mirrored() {
    let waiting = async {
        loop {
            let recorder = Recorder::new();
            let _guard = set_default_local_recorder(&recorder);
            // With each poll, a node says how far its file is.
            tokio::time::sleep(LEASE / 4).await;
            if gauge(&recorder, "tower_revocation_fleet_mirror_lag") == Some(0.0) {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    waited.expect("the file has everything");
}

fn gauge(recorder: &Recorder, name: &str) -> Option<f64> {
    recorder
        .take()
        .into_iter()
        .find_map(|(key, value)| match value {
            Value::Gauge(gauge) if key.name() == name => Some(gauge),
            _ => None,
        })
}

fn counter(recorder: &Recorder, name: &str) -> u64 {
    let found = recorder
        .take()
        .into_iter()
        .find_map(|(key, value)| match value {
            Value::Counter(count) if key.name() == name => Some(count),
            _ => None,
        });
    found.unwrap_or(0)
}

async fn restart_reads_the_rest(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path().join("mirror.redb");
    leave_mirror(url, &mirror, 5000).await;
    let other = FleetLog::builder(url).lease(LEASE).connect().await.unwrap();
    append(&other, 5000..5010).await;

    let recorder = Recorder::new();
    let guard = set_default_local_recorder(&recorder);
    let log = node(url, &mirror).await;
    let index = index(&log).await;
    let read = counter(&recorder, "tower_revocation_fleet_read_records_total");
    drop(guard);
    // A reader that joins makes the node read again what is not in the file yet.
    assert!((10..=40).contains(&read), "{read}");
    assert_eq!(index.len(), 5010);
    assert!(covers(&index, 0) && covers(&index, 5009));
    let second = Index::follow(&log).await.unwrap();
    assert_eq!(second.len(), 5010);
    other.append(vec![grant(6000)]).await.unwrap();
    wait_until("known", || covers(&index, 6000) && covers(&second, 6000)).await;
}

#[tokio::test]
async fn restart_with_postgresql_reads_only_the_rest() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    restart_reads_the_rest(&server.url("postgres")).await;
}

#[tokio::test]
async fn restart_with_redis_reads_only_the_rest() {
    for server in redis::Server::each(&[]) {
        restart_reads_the_rest(&server.url()).await;
    }
}

#[tokio::test]
async fn mirror_of_another_log_or_process_is_refused_in_one_line() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path().join("mirror.redb");
    let url = server.url("postgres");
    let log = node(&url, &mirror).await;
    let refused = async |builder: tower_revocation::log::FleetLogBuilder| {
        let error = builder
            .lease(LEASE)
            .mirror(&mirror)
            .connect()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Misconfigured);
        error.source().unwrap().to_string()
    };
    let line = refused(FleetLog::builder(&url)).await;
    assert!(line.contains("open in another process"), "{line}");
    log.close().await.unwrap();
    drop(log);
    let line = refused(FleetLog::builder(&url).name("other")).await;
    assert!(line.contains("mirror of another log"), "{line}");
    // As a parameter of the URL.
    let url = format!("{url}?lease=2s&mirror={}", mirror.display());
    let connected = FleetLog::connect(url).await;
    connected.expect("it is the mirror of this log");
}

#[tokio::test]
async fn node_goes_on_without_its_file_and_says_so() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    // Also that of the thread that writes the file.
    let recorder = Recorder::new();
    metrics::set_global_recorder(recorder.clone()).expect("no other test has one");
    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path().join("mirror.redb");
    let log = node(&server.url("postgres"), &mirror).await;
    let here = index(&log).await;
    append(&log, 0..10).await;
    mirrored().await;
    let away = folder.path().join("away.redb");
    std::fs::rename(&mirror, &away).unwrap();
    let reason = || log.health().reason().unwrap_or_default();
    // Each record is one more attempt.
    let mut number = 10;
    while !reason().contains("the mirror is behind") {
        assert!(number < 1000, "the file is not missed");
        log.append(vec![grant(number)]).await.unwrap();
        number += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(reason().contains("No such file"), "{}", reason());
    let health = log.health();
    assert!(health.is_ready() && health.is_writable(), "{health:?}");
    assert!(here.readiness().is_ready() && covers(&here, number - 1));
    // No event says that revocations fail.
    let series = recorder.take();
    let missing = series.iter().filter(|(key, _)| {
        let mut labels = key.labels().map(metrics::Label::value);
        key.name() == "tower_revocation_log_failures_total" && labels.any(|kind| kind == "missing")
    });
    assert_eq!(missing.count(), 0, "{series:?}");
    std::fs::rename(&away, &mirror).unwrap();
    wait_until("written again", || log.health().reason().is_none()).await;
    mirrored().await;
}

const CHILD: &str = "TOWER_REVOCATION_TEST_MIRROR";

/// Not a test: a process with a mirror, until it is killed.
#[tokio::test]
async fn process_with_a_mirror() {
    let Ok(arguments) = std::env::var(CHILD) else {
        return;
    };
    let (url, mirror) = arguments.split_once(' ').unwrap();
    let log = node(url, Path::new(mirror)).await;
    let _index = index(&log).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
}

struct Process(Child);

impl Process {
    fn start(url: &str, mirror: &Path) -> Self {
        let test = std::env::current_exe().unwrap();
        let child = Command::new(test)
            .args(["mirror::process_with_a_mirror", "--exact"])
            .env(CHILD, format!("{url} {}", mirror.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn killed_process_loses_nothing_of_its_mirror() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path().join("mirror.redb");
    let url = server.url("postgres");
    let other = FleetLog::builder(&url)
        .lease(LEASE)
        .connect()
        .await
        .unwrap();
    let mut written = 0;
    for round in 0..4_usize {
        let process = Process::start(&url, &mirror);
        // Killed while it reads everything, while it follows, and before it has begun.
        let begun = || mirror.metadata().is_ok_and(|file| file.len() > 0);
        wait_until("begun", begun).await;
        for _ in 0..=3 * round {
            append(&other, written..written + 1000).await;
            written += 1000;
        }
        drop(process);
    }
    let log = node(&url, &mirror).await;
    let here = index(&log).await;
    assert_eq!(here.len(), written);
    assert!((0..written).all(|number| covers(&here, number)));
    mirrored().await;
    log.close().await.unwrap();
    drop(log);
    drop(other);

    // The file has everything.
    server.sql("postgres", "truncate tower_revocation.log");
    let log = node(&url, &mirror).await;
    assert_eq!(index(&log).await.len(), written);
}
