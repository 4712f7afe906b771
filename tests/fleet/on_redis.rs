//! Nodes that share a log in Redis and Valkey.

use std::{
    error::Error as _,
    time::{Duration, Instant, SystemTime},
};

use futures::future::join_all;
use tower_revocation::{
    Error,
    client::replay::{Once, ReplayGuard as _},
    enforce::{Freshness, Index},
    log::{Durability, FleetLog, LogErrorKind, RevocationLog as _, Snapshot},
};

use crate::{
    nodes::{LEASE, covers, grant, index, wait_until},
    redis::{Sentinels, Server, programs, until},
};

async fn node(url: &str) -> (FleetLog, Index) {
    let log = FleetLog::builder(url).lease(LEASE).connect().await;
    let log = log.expect("the server answers");
    let index = index(&log).await;
    (log, index)
}

async fn wait_until_back(log: &FleetLog, index: &Index) {
    wait_until("fresh", || index.freshness() == Freshness::Fresh).await;
    wait_until("writable", || log.health().is_writable()).await;
}

#[tokio::test]
async fn token_that_is_revoked_on_one_node_is_refused_on_every_node() {
    for server in Server::each(&[]) {
        let mut nodes = Vec::new();
        for _ in 0..3 {
            nodes.push(node(&server.url()).await);
        }
        for (number, (log, here)) in nodes.iter().enumerate() {
            assert_eq!(log.durability(), Durability::Disk);
            let position = log.append(vec![grant(number)]).await.unwrap();
            assert!(covers(here, number), "at once where it is revoked");
            for (_, index) in &nodes {
                wait_until("known", || covers(index, number)).await;
                wait_until("complete", || index.position() == position).await;
                wait_until("fresh", || index.freshness() == Freshness::Fresh).await;
            }
        }
        // A node that joins later knows everything.
        let (_, late) = node(&server.url()).await;
        assert!((0..3).all(|number| covers(&late, number)));
    }
}

#[tokio::test]
async fn without_the_server_nodes_refuse_what_they_cannot_know_and_come_back_by_themselves() {
    for mut server in Server::each(&[]) {
        let [(one, here), (other, there)] = [node(&server.url()).await, node(&server.url()).await];
        one.append(vec![grant(1)]).await.unwrap();
        wait_until("known", || covers(&there, 1)).await;

        server.stop();
        for index in [&here, &there] {
            wait_until("stale", || index.freshness() != Freshness::Fresh).await;
            assert!(covers(index, 1), "what it knows counts");
        }
        wait_until("seen", || !one.health().is_writable()).await;
        let begun = Instant::now();
        let error = one.append(vec![grant(2)]).await.unwrap_err();
        assert!(begun.elapsed() < LEASE, "at once");
        assert_eq!(error.kind(), LogErrorKind::Unavailable);
        let response = error.source().unwrap().downcast_ref::<Error>().unwrap();
        assert!(response.retry_delay().is_some());

        server.restart();
        wait_until_back(&one, &here).await;
        wait_until_back(&other, &there).await;
        other.append(vec![grant(2)]).await.unwrap();
        wait_until("known", || covers(&here, 2)).await;

        // As good as none.
        server.signal("STOP");
        for index in [&here, &there] {
            wait_until("stale", || index.freshness() != Freshness::Fresh).await;
        }
        server.signal("CONT");
        wait_until_back(&one, &here).await;
        wait_until_back(&other, &there).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assertion_counts_once_in_the_whole_fleet() {
    for mut server in Server::each(&[]) {
        let [(one, _), (other, _)] = [node(&server.url()).await, node(&server.url()).await];
        let guards = [&one, &other].map(|log| log.replay_guard().unwrap());
        let use_up = |node: usize, jti: usize| {
            let guard = guards[node].clone();
            let identifier = Once::new("https://as.example.com", "client", &jti.to_string());
            let until = SystemTime::now() + Duration::from_secs(60);
            tokio::spawn(async move { guard.use_up(identifier, until).await })
        };
        for jti in 0..20 {
            let callers = join_all((0..64).map(|caller| use_up(caller % 2, jti))).await;
            let won = callers.into_iter().filter(|won| match won {
                Ok(Ok(won)) => *won,
                other => panic!("{other:?}"),
            });
            assert_eq!(won.count(), 1, "round {jti}");
        }
        // In the middle of it.
        let under_way: Vec<_> = (20..220).map(|jti| use_up(0, jti)).collect();
        server.stop();
        let first = join_all(under_way).await;
        use_up(0, 0).await.unwrap().unwrap_err();
        server.restart();
        wait_until("writable", || one.health().is_writable()).await;
        wait_until("writable", || other.health().is_writable()).await;
        assert!(!use_up(1, 0).await.unwrap().unwrap());
        for (jti, first) in (20..).zip(first) {
            let again = use_up(1, jti).await.unwrap().unwrap();
            assert!(
                !(matches!(first.unwrap(), Ok(true)) && again),
                "{jti} counts twice"
            );
        }
    }
}

#[tokio::test]
async fn removed_log_is_given_back_by_the_nodes() {
    for server in Server::each(&[]) {
        let [(one, _), (_, there)] = [node(&server.url()).await, node(&server.url()).await];
        for number in 0..10 {
            one.append(vec![grant(number)]).await.unwrap();
        }
        wait_until("known", || there.len() == 10).await;
        let epoch = there.position().epoch;
        server.say("FLUSHALL");
        wait_until("noticed", || there.position().epoch != epoch).await;
        wait_until("fresh", || there.freshness() == Freshness::Fresh).await;
        assert_eq!(Snapshot::of(&one).await.unwrap().records.len(), 10);
        let (_, late) = node(&server.url()).await;
        assert!((0..10).all(|number| covers(&late, number)));
    }
}

/// The stream lacks what was trimmed, so a node reads the table of records, which has no order.
#[tokio::test]
async fn removed_log_that_a_node_has_read_in_no_order_is_given_back() {
    for server in Server::each(&[]) {
        let (one, here) = node(&server.url()).await;
        one.append((0..10).map(grant).collect()).await.unwrap();
        one.append(vec![grant(10)]).await.unwrap();
        server.say("XTRIM {tr}:stream MAXLEN 1");
        let (_other, there) = node(&server.url()).await;
        assert_eq!(there.len(), 11);
        one.close().await.unwrap();
        drop((one, here));
        let epoch = there.position().epoch;
        server.say("FLUSHALL");
        wait_until("noticed", || there.position().epoch != epoch).await;
        let (_, late) = node(&server.url()).await;
        assert!((0..11).all(|number| covers(&late, number)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_follow_the_new_primary_by_themselves() {
    for program in programs() {
        let mut group = Sentinels::start(&program);
        let [(one, here), (other, there)] = [node(&group.url()).await, node(&group.url()).await];
        one.append(vec![grant(1)]).await.unwrap();
        group.primary.stop();
        group.until_failed_over();
        let second = group.replica.replica();
        until("the new replica counts", || {
            group
                .replica
                .say("INFO replication")
                .contains("connected_slaves:1")
        });
        wait_until_back(&one, &here).await;
        wait_until_back(&other, &there).await;
        other.append(vec![grant(2)]).await.unwrap();
        wait_until("known", || covers(&here, 2)).await;
        let (_, late) = node(&group.url()).await;
        assert!(covers(&late, 1) && covers(&late, 2));
        drop(second);
    }
}
