//! A server that loses everything, and a node that remembers less than it has on its disk.

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{super::super::engine::Engine, Cursor, append, grant, poll};
use crate::{
    enforce::Index,
    log::{
        Moment, NumericDate, Position, Reader, Revocation, RevocationLog as _,
        fleet::{FleetLog, core::NodeSettings, mirror::Mirror, operation::Operation},
    },
};

/// How many records a node remembers.
const REMEMBERED: usize = 50;
const RECORDS: usize = 10_000;

pub(crate) async fn node<E: Engine>(engine: E, path: &Path) -> FleetLog {
    let settings = NodeSettings {
        lease: Duration::from_secs(2),
        append_timeout: Duration::from_secs(5),
        waits: false,
        seed: getrandom::u64().unwrap(),
        name: "a node".into(),
    };
    let (mirror, found) = Mirror::open(path, &engine).await.unwrap();
    let engine = Arc::new(engine);
    mirror.start(engine.clone(), found);
    let operation = Operation {
        kept: Some((Arc::new(mirror), found)),
        remembers: Some(REMEMBERED),
        ..Operation::default()
    };
    FleetLog::start_with(engine, settings, Arc::new(Moment::now), operation)
}

pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("too late: {what}");
}

/// How many records the server has.
pub(crate) async fn count<E: Engine>(engine: &E) -> usize {
    let (mut cursor, mut records) = (Cursor::default(), HashSet::new());
    loop {
        let page = poll(engine, cursor).await;
        // A scan may give a record twice.
        records.extend(page.records);
        cursor = page.upto;
        if !page.more {
            return records.len();
        }
    }
}

pub(crate) async fn is_mirrored(log: &FleetLog, records: usize) {
    until("the file has everything", async || {
        mirrored(log).await == (records, true)
    })
    .await;
}

/// How many records the file has, and whether it says up to where that is the whole log.
pub(crate) async fn mirrored(log: &FleetLog) -> (usize, bool) {
    let heard = Arc::new(Heard::default());
    let reader: Arc<dyn Reader> = heard.clone();
    let up_to = log.kept.as_ref().unwrap().tell(Arc::downgrade(&reader));
    let is_known = up_to.await.is_some();
    let records = heard.0.lock().unwrap().len();
    (records, is_known)
}

#[derive(Default)]
struct Heard(Mutex<HashSet<Revocation>>);

impl Reader for Heard {
    fn read(&self, records: &[Revocation]) {
        self.0.lock().unwrap().extend(records);
    }

    fn complete(&self, _: Position, _: Moment) {
        panic!("a file does not make a reader complete");
    }

    fn forgotten(&self, _: NumericDate) {}
}

/// `empty` removes all records from the server.
pub(crate) async fn mirror<E: Engine>(open: impl AsyncFn() -> E, empty: impl Fn()) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mirror.redb");
    let server = open().await;
    for first in (0..RECORDS).step_by(1000) {
        append(&server, (first..first + 1000).map(grant)).await;
    }
    let log = node(open().await, &path).await;
    let index = Index::follow(&log).await.unwrap();
    assert_eq!(index.len(), RECORDS);
    is_mirrored(&log, RECORDS).await;

    // While a node runs.
    empty();
    log.append(vec![grant(RECORDS)]).await.unwrap();
    until("everything is given back", async || {
        log.health().is_ready() && count(&server).await == RECORDS + 1
    })
    .await;
    until("the node is fresh", async || index.readiness().is_ready()).await;
    is_mirrored(&log, RECORDS + 1).await;
    log.close().await.unwrap();
    drop((log, index));

    // While no node runs.
    empty();
    let log = node(open().await, &path).await;
    let index = Index::follow(&log).await.unwrap();
    assert_eq!(index.len(), RECORDS + 1);
    assert_eq!(count(&server).await, RECORDS + 1);
    assert!(index.covers_selector(&grant(0).selector(), None));
}
