//! The database comes back as another one: a standby that was promoted, or an older copy.

use std::error::Error as _;

use tower_revocation::{
    enforce::Freshness,
    log::{Durability, FleetLog, LogError, LogErrorKind, RevocationLog as _},
};

use crate::{
    nodes::{LEASE, covers, grant, index, node, wait_until},
    postgres::{Server, until},
};

/// Connects to the primary of two servers.
async fn connect([one, two]: [u16; 2]) -> FleetLog {
    let url = format!("postgres://admin@127.0.0.1:{one},127.0.0.1:{two}/postgres");
    let connected = FleetLog::builder(&url).lease(LEASE).connect().await;
    connected.expect("the primary answers")
}

fn promote(standby: &Server) {
    standby.sql("postgres", "select pg_promote()");
    until("the standby is promoted", || {
        standby.sql("postgres", "select pg_is_in_recovery()") == "f"
    });
}

/// Commits wait for the standbys with these names from now on.
fn wait_for_standbys(server: &Server, names: &str) {
    let set = format!("alter system set synchronous_standby_names = '{names}'");
    server.sql("postgres", &set);
    server.sql("postgres", "select pg_reload_conf()");
    let state = "select sync_state from pg_stat_replication";
    let wanted = if names.is_empty() { "async" } else { "sync" };
    until("the setting is in use", || {
        server.sql("postgres", "show synchronous_standby_names") == names
            && server.sql("postgres", state) == wanted
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicated_needs_a_synchronous_standby_at_the_start_and_later() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let _standby = server.standby();
    let connect = || {
        let builder = FleetLog::builder(server.url("postgres")).lease(LEASE);
        builder.durability(Durability::Replicated).connect()
    };
    let refused = |error: &LogError| {
        let line = error.source().unwrap().to_string();
        assert!(line.contains("set synchronous_standby_names"), "{line}");
    };
    let error = connect().await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Misconfigured);
    refused(&error);

    wait_for_standbys(&server, "standby");
    let log = connect().await.unwrap();
    assert_eq!(log.durability(), Durability::Replicated);
    log.append(vec![grant(1)]).await.unwrap();

    // An append that only the primary has is no success.
    wait_for_standbys(&server, "");
    let error = log.append(vec![grant(2)]).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Unavailable);
    wait_until("not writable", || !log.health().is_writable()).await;
    refused(log.health().cause().unwrap());

    wait_for_standbys(&server, "standby");
    wait_until("writable", || log.health().is_writable()).await;
    log.append(vec![grant(2)]).await.unwrap();
    assert_eq!(log.durability(), Durability::Replicated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_follow_a_promoted_standby_and_lose_nothing() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let standby = server.standby();
    let ports = [server.port(), standby.port()];
    let connect = || connect(ports);
    wait_for_standbys(&server, "standby");
    let (first, other) = (connect().await, connect().await);
    let indexes = [index(&first).await, index(&other).await];
    for number in 0..10 {
        first.append(vec![grant(number)]).await.unwrap();
    }
    assert_eq!(first.durability(), Durability::Replicated);

    server.stop("KILL");
    promote(&standby);
    // It fails while the log still waits for the former primary.
    let position = loop {
        if let Ok(position) = other.append(vec![grant(10)]).await {
            break position;
        }
        tokio::time::sleep(LEASE / 20).await;
    };
    for index in &indexes {
        wait_until("known", || covers(index, 10)).await;
        wait_until("fresh", || index.freshness() == Freshness::Fresh).await;
        assert!((0..10).all(|number| covers(index, number)));
    }
    assert_eq!(position.sequence, 11);
    let late = index(&connect().await).await;
    assert!((0..11).all(|number| covers(&late, number)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_a_promoted_standby_lacks_are_given_back() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let standby = server.standby();
    let ports = [server.port(), standby.port()];
    let connect = || connect(ports);
    let (first, other) = (connect().await, connect().await);
    let indexes = [index(&first).await, index(&other).await];
    first.append((0..5).map(grant).collect()).await.unwrap();
    let count = "select count(*) from tower_revocation.log";
    until("the standby has the records", || {
        standby.sql("postgres", count) == "5"
    });
    // From here on, it gets nothing.
    standby.sql("postgres", "alter system set primary_conninfo = ''");
    standby.sql("postgres", "select pg_reload_conf()");
    until("the standby is cut off", || {
        server.sql("postgres", "select count(*) from pg_stat_replication") == "0"
    });
    first.append(vec![grant(5)]).await.unwrap();
    other.append(vec![grant(6)]).await.unwrap();
    for index in &indexes {
        wait_until("known", || covers(index, 5) && covers(index, 6)).await;
    }

    server.stop("KILL");
    // Afterwards the nodes give the others back at once.
    assert_eq!(standby.sql("postgres", count), "5");
    promote(&standby);
    // Who comes now cannot know that something is missing. Nobody tells it that it is complete before
    // the others have given everything back.
    let late = index(&connect().await).await;
    assert!((0..7).all(|number| covers(&late, number)));
    assert_eq!(standby.sql("postgres", count), "7");
    for index in &indexes {
        wait_until("fresh", || index.freshness() == Freshness::Fresh).await;
        assert!((0..7).all(|number| covers(index, number)));
    }
}

#[tokio::test]
async fn node_keeps_what_it_knows_when_an_older_copy_of_the_database_is_restored() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let log = node(&server).await;
    let index = index(&log).await;
    log.append(vec![grant(1)]).await.unwrap();
    server.stop("INT");
    let backup = server.backup();
    server.restart();
    wait_until("writable", || log.health().is_writable()).await;
    log.append(vec![grant(2)]).await.unwrap();

    server.stop("INT");
    server.restore(&backup);
    server.restart();
    wait_until("writable", || log.health().is_writable()).await;
    // As many records as before, and another one.
    let other = node(&server).await;
    other.append(vec![grant(3)]).await.unwrap();
    wait_until("known", || covers(&index, 3)).await;
    wait_until("fresh", || index.freshness() == Freshness::Fresh).await;
    assert!(covers(&index, 1) && covers(&index, 2));
}

#[tokio::test]
async fn node_connects_by_the_socket() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let folder = server.socket().to_str().unwrap().replace('/', "%2F");
    let url = format!("postgres://admin@{folder}:{}/postgres", server.port());
    let log = FleetLog::connect(url).await.unwrap();
    log.append(vec![grant(1)]).await.unwrap();
    assert!(covers(&index(&log).await, 1));
}
