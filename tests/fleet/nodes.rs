//! What one node revokes, every node refuses.

use std::time::Duration;

use futures::future::join_all;
use tower_revocation::{
    enforce::{Freshness, Index},
    log::{
        Durability, FleetLog, LogErrorKind, NumericDate, Revocation, RevocationLog as _, Selector,
        Snapshot,
    },
};

use crate::postgres::Server;

pub(crate) const LEASE: Duration = Duration::from_secs(2);

pub(crate) async fn node(server: &Server) -> FleetLog {
    let builder = FleetLog::builder(server.url("postgres")).lease(LEASE);
    builder.connect().await.expect("the server answers")
}

pub(crate) async fn index(log: &FleetLog) -> Index {
    let index = Index::follow(log).await;
    index.expect("the server answers")
}

pub(crate) fn grant(number: usize) -> Revocation {
    Revocation::forever(selector(number), NumericDate::FOREVER)
}

pub(crate) fn selector(number: usize) -> Selector {
    Selector::grant(&number.to_string())
}

pub(crate) fn covers(index: &Index, number: usize) -> bool {
    index.covers_selector(&selector(number), None)
}

/// Waits until a condition is met.
pub(crate) async fn wait_until(what: &str, is_met: impl Fn() -> bool) {
    let waiting = async {
        while !is_met() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    waited.unwrap_or_else(|_| panic!("never {what}"));
}

#[tokio::test]
async fn token_that_is_revoked_on_one_node_is_refused_on_every_node() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let logs = join_all((0..3).map(|_| node(&server))).await;
    let indexes = join_all(logs.iter().map(index)).await;
    assert_eq!(logs[0].durability(), Durability::Disk);
    for (number, log) in logs.iter().enumerate() {
        let position = log.append(vec![grant(number)]).await.unwrap();
        assert!(
            covers(&indexes[number], number),
            "at once where it is revoked"
        );
        for index in &indexes {
            wait_until("known", || covers(index, number)).await;
            wait_until("complete", || index.position() == position).await;
            wait_until("fresh", || index.freshness() == Freshness::Fresh).await;
        }
    }
    // A node that joins later knows everything.
    let late = index(&node(&server).await).await;
    assert!((0..3).all(|number| covers(&late, number)));
}

#[tokio::test]
async fn callers_of_a_node_share_transactions_and_all_records_arrive() {
    const CALLERS: usize = 64;
    const EACH: usize = 20;
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (one, other) = (node(&server).await, node(&server).await);
    let there = index(&other).await;
    let callers = (0..CALLERS).map(|caller| {
        let log = if caller % 2 == 0 { &one } else { &other };
        async move {
            for number in 0..EACH {
                let record = grant(caller * EACH + number);
                log.append(vec![record]).await.unwrap();
            }
        }
    });
    join_all(callers).await;
    wait_until("all known", || there.len() == CALLERS * EACH).await;
    let snapshot = Snapshot::of(&one).await.unwrap();
    assert_eq!(snapshot.records.len(), CALLERS * EACH);
    assert_eq!(snapshot.position.sequence, (CALLERS * EACH) as u64);
    let transactions = server.sql(
        "postgres",
        "select count(distinct mark) from tower_revocation.log",
    );
    assert!(
        transactions.parse::<usize>().unwrap() < CALLERS * EACH / 4,
        "{transactions}"
    );
}

#[tokio::test]
async fn limits_hold_over_all_nodes() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let limited = || async {
        let builder = FleetLog::builder(server.url("postgres"))
            .lease(LEASE)
            .ceiling(3);
        builder.connect().await.unwrap()
    };
    let (one, other) = (limited().await, limited().await);
    let batch = vec![grant(1), grant(2)];
    assert!(
        one.append_at_most(1, batch.clone())
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        one.append_at_most(2, batch.clone())
            .await
            .unwrap()
            .unwrap()
            .added,
        2
    );
    // What another node has added is not new.
    assert_eq!(
        other.append_at_most(0, batch).await.unwrap().unwrap().added,
        0
    );
    let error = other.append(vec![grant(3), grant(4)]).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Full);
    other.append(vec![grant(3)]).await.unwrap();
}

#[tokio::test]
async fn logs_of_different_names_are_separate() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let named = |name: &str| {
        let builder = FleetLog::builder(server.url("postgres"))
            .lease(LEASE)
            .name(name);
        async { builder.connect().await.unwrap() }
    };
    let (one, other) = (named("one").await, named("other").await);
    one.append(vec![grant(1)]).await.unwrap();
    let (one, other) = (index(&one).await, index(&other).await);
    assert!(covers(&one, 1) && !covers(&other, 1));
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_said_without_the_password() {
    use std::error::Error as _;
    for (url, kind) in [
        (
            "postgres://me:se@cr3t@localhost/app",
            LogErrorKind::Misconfigured,
        ),
        (
            "mysql://me:s3cret@localhost/app",
            LogErrorKind::Misconfigured,
        ),
        (
            "postgres://me:s3cret@127.0.0.1:1/app",
            LogErrorKind::Unavailable,
        ),
        (
            "postgres://me:s3cret@localhost/app?lease=1h",
            LogErrorKind::Misconfigured,
        ),
        (
            "postgres://me:s3cret@localhost/app?what=1",
            LogErrorKind::Misconfigured,
        ),
    ] {
        let error = FleetLog::connect(url).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{url}");
        let all = format!("{error} {error:?} {}", error.source().unwrap());
        assert!(!all.contains("s3cret") && !all.contains("cr3t"), "{all}");
    }
}

#[tokio::test]
async fn records_that_a_policy_hides_are_an_error_and_not_an_empty_log() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    server.sql("postgres", "create role revoker login");
    server.sql("postgres", "create database app owner revoker");
    let url = format!("postgres://revoker@127.0.0.1:{}/app", server.port());
    let connect = || async { FleetLog::builder(&url).lease(LEASE).connect().await };
    let log = connect().await.unwrap();
    log.append(vec![grant(1)]).await.unwrap();
    for change in ["enable", "force"] {
        let alter = format!("alter table tower_revocation.log {change} row level security");
        server.sql("app", &alter);
    }
    if let Ok(other) = connect().await {
        Index::follow(&other).await.unwrap_err();
    }
}
