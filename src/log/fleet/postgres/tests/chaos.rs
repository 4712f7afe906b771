//! Servers that crash, stand still, go back in time, or lose their standby.

use super::{
    super::super::super::{Durability, LogErrorKind},
    contract::recovered,
    *,
};

/// A short time limit, for calls that cannot succeed.
fn hasty() -> Options {
    Options {
        timeout: Duration::from_secs(1),
        ..options()
    }
}

/// Asks until the server says that it uses another setting.
async fn settled(log: &Postgres, durability: Durability) {
    for _ in 0..200 {
        recovered(log).await;
        if log.durability() == durability {
            return;
        }
    }
    panic!("the setting does not change");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_loses_nothing_that_was_acknowledged() {
    if let Some(mut server) = Server::start(&[]) {
        let log = open(&server).await;
        let kill = |server: &mut Server| server.stop("KILL");
        contract::crash(log, &mut server, kill, Server::restart).await;
    }
}

#[tokio::test]
async fn server_that_stands_still_holds_no_call_longer_than_its_limit() {
    if let Some(server) = Server::start(&[]) {
        let log = open_at(&server.url("postgres"), hasty()).await.unwrap();
        contract::standstill(&log, |signal| server.signal(signal)).await;
    }
}

#[tokio::test]
async fn dropped_call_leaves_no_answer_for_the_next() {
    if let Some(server) = Server::start(&[]) {
        contract::dropped_calls(&open(&server).await).await;
    }
}

#[tokio::test]
async fn restored_copy_with_other_records_is_another_history() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    append(&log, (0..10).map(grant)).await;
    server.stop("INT");
    let backup = server.backup();
    server.restart();
    recovered(&log).await;
    append(&log, (10..13).map(grant)).await;
    let cursor = recovered(&log).await.upto;
    assert_eq!(cursor.sequence, 13);
    let before = poll(&log, cursor).await.incarnation;
    server.stop("INT");
    server.restore(&backup);
    server.restart();
    // Also for a node that has no more records than the copy.
    assert_ne!(recovered(&log).await.incarnation, before);
    // Behind the end, at the same number, and before the end of the other history.
    recovered(&log).await;
    for records in [0..0, 100..103, 103..105] {
        append(&log, records.map(grant)).await;
        let page = poll(&log, cursor).await;
        assert_eq!(page.history, History::Other);
        assert!(
            page.records
                .starts_with(&(0..10).map(grant).collect::<Vec<_>>())
        );
        assert_eq!(poll(&log, page.upto).await.history, History::Same);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn append_waits_for_the_standby_and_so_does_a_poll() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let plain = open(&server).await;
    assert_eq!(plain.durability(), Durability::Disk);
    let mut standby = server.standby();
    let set = |names: &str| {
        server.sql(
            "postgres",
            &format!("alter system set synchronous_standby_names = '{names}'"),
        );
        server.sql("postgres", "select pg_reload_conf()");
    };
    set("standby");
    let state = "select sync_state from pg_stat_replication";
    fixture::until("the standby is synchronous", || {
        server.sql("postgres", state) == "sync"
    });
    append(&plain, [grant(1)]).await;
    settled(&plain, Durability::Replicated).await;
    let log = open_at(&server.url("postgres"), hasty()).await;
    let log = log.unwrap_or_else(|error| panic!("{}", line(&error)));
    assert_eq!(log.durability(), Durability::Replicated);

    standby.signal("STOP");
    // New, and covered, of one caller and of two, and what is read: nothing of it may count.
    for numbers in [vec![2], vec![1], vec![3, 4], vec![1, 2]] {
        let batches = numbers.into_iter().map(|number| batch([grant(number)]));
        let error = log.append(request(batches)).await.unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Unavailable, "{}", line(&error));
    }
    let error = log.poll(ask(Cursor::default())).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Unavailable, "{}", line(&error));
    // Calls that were given up do not occupy the server.
    let waiting = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
    fixture::until("nobody waits", || server.sql("postgres", waiting) == "0");
    standby.signal("CONT");
    let all = [1, 2, 3, 4].map(grant);
    assert_eq!(recovered(&plain).await.records, all);
    append(&plain, all).await;

    standby.stop("QUIT");
    assert!(log.append(request([batch([grant(5)])])).await.is_err());
    set("");
    settled(&plain, Durability::Disk).await;
    append(&plain, [grant(5)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wait_for_a_standby_that_somebody_ends_is_no_success() {
    for callers in [1, 3] {
        let Some(server) = Server::start(&[]) else {
            return;
        };
        let log = open(&server).await;
        append(&log, [grant(1)]).await;
        server.sql(
            "postgres",
            "alter system set synchronous_standby_names = 'absent'",
        );
        server.sql("postgres", "select pg_reload_conf()");
        let cancel = || {
            let cancel = "select count(pg_cancel_backend(pid)) from pg_stat_activity where wait_event = 'SyncRep'";
            fixture::until("an append waits", || server.sql("postgres", cancel) == "1");
        };
        let append = tokio::spawn(async move {
            // The setting takes effect after some of them.
            for number in 2.. {
                let caller = |caller| batch([grant(format!("{number} {caller}"))]);
                if let Err(error) = log.append(request((0..callers).map(caller))).await {
                    return line(&error);
                }
            }
            String::new()
        });
        tokio::task::block_in_place(cancel);
        let line = append.await.unwrap();
        assert!(line.contains("committed without its standby"), "{line}");
    }
}

#[tokio::test]
async fn promoted_standby_is_another_incarnation() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let standby = server.standby();
    let [one, two] = [server.port(), standby.port()];
    let both = format!("postgres://admin@127.0.0.1:{one},127.0.0.1:{two}/postgres");
    let log = open_at(&both, options()).await.unwrap();
    let before = append(&log, [grant(1)]).await;
    let count = "select to_regclass('tower_revocation.log') is not null";
    fixture::until("the standby has the tables", || {
        standby.sql("postgres", count) == "t"
    });
    let count = "select count(*) from tower_revocation.log";
    fixture::until("the standby has the record", || {
        standby.sql("postgres", count) == "1"
    });
    server.stop("KILL");
    standby.sql("postgres", "select pg_promote()");
    let page = recovered(&log).await;
    assert_eq!(page.records, [grant(1)]);
    assert_ne!(page.incarnation, before.incarnation);
    assert_eq!(append(&log, [grant(2)]).await.incarnation, page.incarnation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_primary_that_accepts_connections_is_left() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let standby = server.standby();
    let [one, two] = [server.port(), standby.port()];
    let both = format!("postgres://admin@127.0.0.1:{one},127.0.0.1:{two}/postgres");
    let log = open_at(&both, hasty()).await;
    let log = log.unwrap_or_else(|error| panic!("{}", line(&error)));
    let before = append(&log, [grant(1)]).await.incarnation;
    let set = "alter system set synchronous_standby_names = 'standby'";
    server.sql("postgres", set);
    server.sql("postgres", "select pg_reload_conf()");
    settled(&log, Durability::Replicated).await;
    standby.sql("postgres", "select pg_promote()");
    let role = "select pg_is_in_recovery()";
    fixture::until("the standby is promoted", || {
        standby.sql("postgres", role) == "f"
    });
    // The old one still accepts connections.
    assert_eq!(server.sql("postgres", role), "f");
    let page = recovered(&log).await;
    assert_ne!(page.incarnation, before);
    assert_eq!(log.durability(), Durability::Disk);
    assert_eq!(page.records, [grant(1)]);
    // Appends leave it as well.
    for number in 2..10 {
        if log.append(request([batch([grant(number)])])).await.is_ok() {
            assert_eq!(recovered(&log).await.records, [grant(1), grant(number)]);
            return;
        }
    }
    panic!("appends stay at the old primary");
}
