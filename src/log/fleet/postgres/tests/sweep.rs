//! What has expired or was replaced goes. What a reader needs stays.

use super::{
    super::{link::Link, sweep::SweepStatement},
    *,
};

fn until(name: impl std::fmt::Display, expires: u64) -> Revocation {
    let selector = Selector::token("issuer", &name.to_string());
    Revocation::forever(selector, NumericDate::new(expires))
}

/// A sweep that keeps the newest `keep` records.
async fn sweep(log: &Postgres, keep: u32) -> u64 {
    let session = log.target.connect().await.unwrap();
    let link = Link::new(log.target.clone(), session);
    SweepStatement::new(link.into(), keep).run().await.unwrap()
}

#[tokio::test]
async fn expired_and_replaced_records_go_and_their_end_is_remembered() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    let now = append(&log, [until("now", 10)]).await.at.seconds();
    append(&log, [until("short", 100), until("long", now + 1000)]).await;
    append(&log, [until("long", now + 2000)]).await;
    append(&log, [until("short", 200)]).await;
    append(&log, [until("newest", 5)]).await;
    assert_eq!(sweep(&log, 100).await, 0);
    assert_eq!(log.sweep().await.unwrap(), 0);
    // Left: the longer record, and the newest, which is expired but recent.
    assert_eq!(sweep(&log, 1).await, 4);
    let page = poll(&log, Cursor::default()).await;
    assert_eq!(
        page.records,
        [until("long", now + 2000), until("newest", 5)]
    );
    assert_eq!(page.forgotten, NumericDate::new(200));
    assert_eq!(page.upto.sequence, 6);
    assert_eq!(sweep(&log, 1).await, 0);
    // A selector that was removed is new again, at the next position.
    let again = append(&log, [until("short", now + 9)]).await;
    assert_eq!(
        again.batches,
        [Done::Appended {
            sequence: 7,
            added: 1
        }]
    );
}

#[tokio::test]
async fn ceiling_counts_what_is_left() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let limited = Options {
        ceiling: 10,
        ..options()
    };
    let log = open_at(&server.url("postgres"), limited).await.unwrap();
    for number in 0..10 {
        append(&log, [until(number, 100)]).await;
        append(&log, [until(number, 200)]).await;
    }
    let refused = log.append(request([batch([grant("more")])])).await.unwrap();
    assert_eq!(refused.batches, [Done::Full]);
    // The newest record of the last selector stays.
    assert_eq!(sweep(&log, 1).await, 19);
    let grants: Vec<_> = (0..9).map(grant).collect();
    let done = log
        .append(request([batch(grants), batch([grant(9)])]))
        .await
        .unwrap()
        .batches;
    assert_eq!(
        done,
        [
            Done::Appended {
                sequence: 29,
                added: 9
            },
            Done::Full
        ]
    );
}

#[tokio::test]
async fn reader_that_is_a_little_behind_goes_on() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    append(&log, (0..6000).map(|number| until(number, 1))).await;
    let behind = poll(&log, Cursor::default()).await.upto;
    append(&log, (0..6000).map(|number| until(number + 6000, 1))).await;
    assert_eq!(log.sweep().await.unwrap(), 2000);
    let page = poll(&log, behind).await;
    assert_eq!(page.history, History::Same);
    assert_eq!(page.records.len(), 4096);
    assert_eq!(page.records[0], until(behind.sequence, 1));
    let swept = Cursor {
        sequence: 1000,
        mark: behind.mark,
    };
    let page = poll(&log, swept).await;
    assert_eq!(page.history, History::Swept);
    assert_eq!(page.records[0], until(2000, 1));
}

#[tokio::test]
async fn long_log_is_swept_in_pieces() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    for expires in [1, 2, u64::MAX] {
        append(&log, (0..5000).map(|number| until(number, expires))).await;
    }
    for round in 0..10 {
        append(
            &log,
            (0..10_000).map(|number| grant(round * 10_000 + number)),
        )
        .await;
    }
    // More than a piece was replaced, and more than a piece replaces nothing.
    assert_eq!(sweep(&log, 1).await, 10_000);
    assert_eq!(sweep(&log, 1).await, 0);
    let page = poll(&log, Cursor::default()).await;
    assert_eq!(page.records[0], until(0, u64::MAX));
    assert_eq!(page.upto.sequence, 10_000 + 4096);
    let swept = "select swept from tower_revocation.meta";
    assert_eq!(
        server.sql("postgres", swept),
        (15_000 + 100_000 - 1).to_string()
    );
}
