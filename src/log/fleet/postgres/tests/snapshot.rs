//! The whole log is read from a replica.

use super::{
    super::super::{super::RevocationLog as _, FleetLog},
    fixture::until,
    *,
};
use crate::{enforce::Index, log::LogErrorKind};

const MANY: usize = 10_000;

fn url(server: &Server, replica: u16) -> String {
    let url = server.url("postgres");
    format!("{url}?snapshot_from=127.0.0.1:{replica}")
}

async fn open_with(server: &Server, replica: u16) -> Postgres {
    let opened = open_at(&url(server, replica), options()).await;
    opened.unwrap_or_else(|error| panic!("{}", line(&error)))
}

async fn fill(log: &Postgres, from: usize, to: usize) {
    for first in (from..to).step_by(1000) {
        append(log, (first..to.min(first + 1000)).map(grant)).await;
    }
}

/// Reads the whole log. Returns how many different records there were.
async fn read_all(log: &Postgres) -> usize {
    let (mut cursor, mut read) = (Cursor::default(), std::collections::HashSet::new());
    loop {
        let page = poll(log, cursor).await;
        assert_ne!(page.history, History::Other);
        read.extend(page.records);
        cursor = page.upto;
        if !page.more {
            return read.len();
        }
    }
}

fn has(server: &Server, records: usize) -> bool {
    let count = "select count(*) from tower_revocation.log";
    server.sql("postgres", count) == records.to_string()
}

/// A primary with many records, and a standby that has them.
async fn pair() -> Option<(Server, Server)> {
    let server = Server::start(&[])?;
    let log = open(&server).await;
    fill(&log, 0, MANY).await;
    let standby = server.standby();
    until("the standby has everything", || has(&standby, MANY));
    Some((server, standby))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn primary_serves_only_what_the_replica_lacks() {
    let Some((server, standby)) = pair().await else {
        return;
    };
    standby.sql("postgres", "select pg_wal_replay_pause()");
    let paused = || standby.sql("postgres", "select pg_get_wal_replay_pause_state()") == "paused";
    until("the standby stands still", paused);
    let log = open_with(&server, standby.port()).await;
    fill(&log, MANY, MANY + 10).await;
    assert_eq!(read_all(&log).await, MANY + 10);
    assert_eq!(log.snapshots.served().await, MANY);
    // A reader that joins makes the node begin again.
    assert_eq!(read_all(&log).await, MANY + 10);
    assert_eq!(log.snapshots.served().await, 2 * MANY);

    let node = FleetLog::connect(url(&server, standby.port()))
        .await
        .unwrap();
    let index = Index::follow(&node).await.unwrap();
    assert_eq!(index.len(), MANY + 10);
    node.append(vec![grant(MANY + 10)]).await.unwrap();
    assert!(node.health().is_ready());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replica_with_another_history_is_no_loss_of_the_log() {
    let Some((server, mut standby)) = pair().await else {
        return;
    };
    standby.sql("postgres", "select pg_promote()");
    let other = open(&standby).await;
    let primary = open(&server).await;
    // As many records, and others.
    fill(&other, 2 * MANY, 2 * MANY + 5000).await;
    fill(&primary, MANY, MANY + 5000).await;
    let log = open_with(&server, standby.port()).await;
    let before = poll(&primary, Cursor::default()).await.incarnation;
    let node = FleetLog::connect(url(&server, standby.port()))
        .await
        .unwrap();
    let index = Index::follow(&node).await.unwrap();
    let known = |number: usize| index.covers_selector(&grant(number).selector(), None);
    assert!((0..MANY + 5000).all(known));
    assert!(read_all(&log).await >= MANY + 5000);

    // A node can ask for the last place of the replica at any time: when a reader is added, it asks
    // later for what it had read before.
    let mut cursor = Cursor::default();
    let last = loop {
        let page = poll(&log, cursor).await;
        if page.history != History::Same {
            break cursor;
        }
        assert!(page.more);
        cursor = page.upto;
    };
    standby.stop("KILL");
    for _ in 0..2 {
        assert_eq!(poll(&log, last).await.history, History::Swept);
    }
    assert_eq!(poll(&primary, last).await.history, History::Other);
    assert_eq!(poll(&primary, Cursor::default()).await.incarnation, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replica_that_cannot_be_used_leaves_the_primary() {
    let Some((server, mut standby)) = pair().await else {
        return;
    };
    // It ends while it is read.
    let log = open_with(&server, standby.port()).await;
    let first = poll(&log, Cursor::default()).await;
    assert!(first.more && log.snapshots.served().await > 0);
    standby.stop("KILL");
    assert_eq!(read_all(&log).await, MANY);
    // It does not run.
    let log = open_with(&server, standby.port()).await;
    assert_eq!(
        (read_all(&log).await, log.snapshots.served().await),
        (MANY, 0)
    );
    // It has another log.
    let stranger = Server::start(&[]).unwrap();
    fill(&open(&stranger).await, 0, 5000).await;
    let log = open_with(&server, stranger.port()).await;
    assert_eq!(
        (read_all(&log).await, log.snapshots.served().await),
        (MANY, 0)
    );
    for wrong in ["", "a,b", "a:b", "a:99999"] {
        let url = format!("{}?snapshot_from={wrong}", server.url("postgres"));
        let error = FleetLog::connect(url).await.unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Misconfigured, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replica_that_stands_still_costs_no_poll() {
    let Some((server, standby)) = pair().await else {
        return;
    };
    let log = open_with(&server, standby.port()).await;
    let first = poll(&log, Cursor::default()).await;
    assert!(first.more && log.snapshots.served().await > 0);
    standby.signal("STOP");
    // It is asked once, and the primary answers within the same poll.
    let limit = options().poll_timeout;
    let second = tokio::time::timeout(limit, poll(&log, first.upto)).await;
    assert_eq!(second.unwrap().history, History::Same);
    let given = log.snapshots.served().await;
    assert_eq!(read_all(&log).await, MANY);
    assert_eq!(log.snapshots.served().await, given);
    standby.signal("CONT");
    assert_eq!(read_all(&log).await, MANY);
    assert_eq!(log.snapshots.served().await, given);
}
