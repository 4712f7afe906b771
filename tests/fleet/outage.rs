//! What happens while the database is away, and after it.

use std::{error::Error as _, time::Instant};

use tower_revocation::{
    Error,
    enforce::Freshness,
    log::{LogErrorKind, RevocationLog as _},
};

use crate::{
    nodes::{LEASE, covers, grant, index, node, wait_until},
    postgres::Server,
};

#[tokio::test]
async fn node_refuses_what_it_cannot_know_once_its_lease_is_over_and_comes_back_by_itself() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let log = node(&server).await;
    let index = index(&log).await;
    log.append(vec![grant(1)]).await.unwrap();

    server.stop("KILL");
    wait_until("stale", || index.freshness() != Freshness::Fresh).await;
    assert!(covers(&index, 1), "what it knows counts");
    wait_until("seen", || !log.health().is_writable()).await;
    let begun = Instant::now();
    let error = log.append(vec![grant(2)]).await.unwrap_err();
    assert!(begun.elapsed() < LEASE, "at once");
    assert_eq!(error.kind(), LogErrorKind::Unavailable);
    let response = error.source().unwrap().downcast_ref::<Error>().unwrap();
    assert!(response.retry_delay().is_some());

    server.restart();
    wait_until("fresh", || index.freshness() == Freshness::Fresh).await;
    wait_until("writable", || log.health().is_writable()).await;
    log.append(vec![grant(2)]).await.unwrap();
    assert!(covers(&index, 1) && covers(&index, 2));
}

#[tokio::test]
async fn frozen_database_is_as_good_as_none() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = node(&server).await;
    let index = index(&log).await;
    server.signal("STOP");
    wait_until("stale", || index.freshness() != Freshness::Fresh).await;
    assert_eq!(
        log.append(vec![grant(1)]).await.unwrap_err().kind(),
        LogErrorKind::Unavailable
    );
    server.signal("CONT");
    wait_until("fresh", || index.freshness() == Freshness::Fresh).await;
    wait_until("writable", || log.health().is_writable()).await;
    log.append(vec![grant(1)]).await.unwrap();
}

#[tokio::test]
async fn revocation_that_was_acknowledged_survives_a_crash_of_the_database() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let log = node(&server).await;
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let first = round * 1000;
        let appends = (first..first + 1000).map(|number| {
            let log = log.clone();
            tokio::spawn(async move { log.append(vec![grant(number)]).await.map(|_| number) })
        });
        let appends: Vec<_> = appends.collect();
        // In the middle of it.
        wait_until("begun", || {
            appends.iter().any(tokio::task::JoinHandle::is_finished)
        })
        .await;
        server.stop("KILL");
        for append in appends {
            acknowledged.extend(append.await.unwrap().ok());
        }
        server.restart();
        wait_until("writable", || log.health().is_writable()).await;
    }
    assert!(!acknowledged.is_empty());
    let late = index(&node(&server).await).await;
    let lost = acknowledged
        .iter()
        .filter(|number| !covers(&late, **number));
    assert_eq!(lost.count(), 0, "of {}", acknowledged.len());
}
