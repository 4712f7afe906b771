//! Replicas, sentinels and clusters.

use super::{
    super::super::super::{Durability, LogErrorKind},
    cluster::Cluster,
    fixture::{Sentinels, programs, until},
    *,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn append_waits_for_the_replica_and_so_does_a_poll() {
    for server in Server::each(&[]) {
        let replica = server.replica();
        let url = format!("{}?replicas=1", server.url());
        let log = open_at(&url, hasty()).await;
        assert_eq!(log.durability(), Durability::Disk);
        append(&log, [grant(1)]).await;
        replica.signal("STOP");
        // New, and covered, and what is read: nothing of it may count.
        for record in [grant(2), grant(1)] {
            let error = log.append(request([batch([record])])).await.unwrap_err();
            assert_eq!(error.kind(), LogErrorKind::Unavailable, "{}", line(&error));
        }
        let error = log.poll(ask(Cursor::default())).await.unwrap_err();
        assert!(line(&error).contains("0 of 1 replicas"), "{}", line(&error));
        replica.signal("CONT");
        assert_eq!(recovered(&log).await.records, [grant(1), grant(2)]);
        append(&log, [grant(3)]).await;
    }
}

#[tokio::test]
async fn server_that_becomes_a_replica_answers_no_poll() {
    for server in Server::each(&[]) {
        let other = Server::each(&[]).remove(0);
        let log = open_at(&server.url(), hasty()).await;
        append(&log, [grant(1)]).await;
        server.say(&format!("REPLICAOF 127.0.0.1 {}", other.port));
        for _ in 0..2 {
            let error = log.poll(ask(Cursor::default())).await.unwrap_err();
            assert_eq!(error.kind(), LogErrorKind::Unavailable, "{}", line(&error));
            assert!(line(&error).contains("replica"), "{}", line(&error));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_lead_to_the_new_primary_and_a_lost_tail_is_noticed() {
    for program in programs() {
        let mut group = Sentinels::start(&program);
        let log = open_at(&group.url(), options()).await;
        append(&log, (0..5).map(grant)).await;
        let before = poll(&log, Cursor::default()).await;
        // Without the replica, the old primary goes on alone: nothing of that counts.
        let url = format!("{}?assume=no-failover", group.primary.url());
        let plain = open_at(&url, options()).await;
        group.replica.say("REPLICAOF 127.0.0.1 1");
        append(&plain, (5..8).map(grant)).await;
        let ahead = poll(&plain, Cursor::default()).await.upto;
        assert_eq!(ahead.sequence, 8);
        group.primary.stop();
        group.until_failed_over();
        // The new primary has no replica yet, and nothing counts without one.
        assert!(log.append(request([batch([grant(9)])])).await.is_err());
        let second = group.replica.replica();
        let page = recovered(&log).await;
        assert!(
            page.records
                .starts_with(&(0..5).map(grant).collect::<Vec<_>>())
        );
        assert!((5..8).all(|number| !page.records.contains(&grant(number))));
        assert_ne!(page.incarnation, before.incarnation);
        let lost = poll(&log, ahead).await;
        assert_eq!(
            (lost.history, lost.incarnation),
            (History::Other, page.incarnation)
        );
        append(&log, [grant("new")]).await;
        assert_eq!(
            poll(&log, before.upto).await.records.last(),
            Some(&grant("new"))
        );
        drop(second);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cluster_has_the_log_on_one_server_and_fails_over() {
    for program in programs() {
        let mut cluster = Cluster::start(&program);
        let log = open_at(&cluster.url(), options()).await;
        append(&log, (0..5).map(grant)).await;
        let before = poll(&log, Cursor::default()).await;
        let place = cluster.place_of("{tr}:head");
        cluster.primaries[place].stop();
        let heir = &cluster.replicas[place];
        until("the replica takes over", || {
            heir.say("ROLE").starts_with("master")
        });
        // It has no replica yet.
        assert!(log.append(request([batch([grant(9)])])).await.is_err());
        cluster.primaries[place].restart();
        let page = recovered(&log).await;
        assert!(
            page.records
                .starts_with(&(0..5).map(grant).collect::<Vec<_>>())
        );
        assert_ne!(page.incarnation, before.incarnation);
        append(&log, [grant("new")]).await;
        assert_eq!(
            poll(&log, before.upto).await.records.last(),
            Some(&grant("new"))
        );
    }
}
