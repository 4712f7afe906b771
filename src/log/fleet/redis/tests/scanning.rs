//! What was trimmed from the stream is in the table of records. What has expired goes.

use std::collections::HashSet;

use super::{
    super::super::super::{NumericDate, Revocation, Selector},
    *,
};

fn until(name: impl std::fmt::Display, expires: u64) -> Revocation {
    let selector = Selector::token("issuer", &name.to_string());
    Revocation::forever(selector, NumericDate::new(expires))
}

#[tokio::test]
async fn trimmed_log_is_read_whole_while_others_append() {
    for server in Server::each(&[]) {
        let log = open(&server).await;
        for part in 0..6 {
            append(&log, (part * 3000..(part + 1) * 3000).map(grant)).await;
        }
        let behind = poll(&log, Cursor::default()).await.upto;
        server.say("XTRIM {tr}:stream MAXLEN 1");
        // Two readers at once, which must not take steps from each other.
        let mut readers = [behind, Cursor::default()].map(|cursor| (cursor, HashSet::new(), false));
        let mut first = true;
        let mut number = 18_000;
        while readers.iter().any(|(_, _, done)| !done) {
            for (cursor, records, done) in &mut readers {
                let page = poll(&log, *cursor).await;
                let swept = first && cursor.sequence > 0;
                assert_eq!(
                    page.history,
                    if swept { History::Swept } else { History::Same }
                );
                records.extend(page.records);
                *cursor = page.upto;
                *done = !page.more;
            }
            first = false;
            if number < 18_100 {
                append(&log, (number..number + 20).map(grant)).await;
                number += 20;
            }
        }
        for (mut cursor, mut records, _) in readers {
            loop {
                let page = poll(&log, cursor).await;
                records.extend(page.records);
                cursor = page.upto;
                if !page.more {
                    break;
                }
            }
            assert_eq!(cursor.sequence, number);
            assert_eq!(records, (0..number).map(grant).collect());
        }
    }
}

#[tokio::test]
async fn many_scans_at_once_come_to_their_ends_at_any_node() {
    for server in Server::each(&[]) {
        let nodes = [open(&server).await, open(&server).await];
        append(&nodes[0], (0..9000).map(grant)).await;
        server.say("XTRIM {tr}:stream MAXLEN 1");
        let mut readers = vec![(Cursor::default(), 0); 70];
        let mut step = 0;
        while readers.iter().any(|(cursor, _)| cursor.sequence == 0) {
            for (reader, (cursor, read)) in readers.iter_mut().enumerate() {
                if cursor.sequence == 0 {
                    let page = poll(&nodes[(step + reader) % 2], *cursor).await;
                    *read += page.records.len();
                    *cursor = page.upto;
                }
            }
            step += 1;
            assert!(step < 9, "a scan begins again");
        }
        assert!(readers.iter().all(|(_, read)| *read >= 9000));
    }
}

#[tokio::test]
async fn scan_begins_again_after_a_restart() {
    for mut server in Server::each(&[]) {
        let log = open(&server).await;
        append(&log, (0..12_000).map(grant)).await;
        server.say("XTRIM {tr}:stream MAXLEN 1");
        let first = poll(&log, Cursor::default()).await;
        assert!(first.more && first.upto.sequence == 0);
        server.restart();
        recovered(&log).await;
        let mut records = HashSet::new();
        let mut cursor = first.upto;
        loop {
            let page = poll(&log, cursor).await;
            assert_eq!(page.history, History::Same);
            records.extend(page.records);
            cursor = page.upto;
            if !page.more {
                break;
            }
        }
        assert_eq!((records.len(), cursor.sequence), (12_000, 12_000));
    }
}

#[tokio::test]
async fn expired_records_go_and_their_end_is_remembered() {
    for server in Server::each(&[]) {
        let limited = Options {
            ceiling: 6,
            ..options()
        };
        let log = open_at(&server.url(), limited).await;
        let now = append(&log, [until("now", 10)]).await.at.seconds();
        append(
            &log,
            [until("short", 100), until("long", 50), until("ever", 60)],
        )
        .await;
        append(&log, [until("long", now + 2000), until("ever", u64::MAX)]).await;
        append(&log, [until("short", 200), grant(1)]).await;
        assert_eq!(log.sweep().await.unwrap(), 2);
        assert_eq!(log.sweep().await.unwrap(), 0);
        server.say("XTRIM {tr}:stream MAXLEN 1");
        let page = poll(&log, Cursor::default()).await;
        let left: HashSet<_> = page.records.iter().copied().collect();
        let expected = [until("long", now + 2000), until("ever", u64::MAX), grant(1)];
        assert_eq!(left, HashSet::from(expected));
        assert_eq!(page.forgotten, NumericDate::new(200));
        // There is room for three.
        let full = log
            .append(request([batch((2..6).map(grant))]))
            .await
            .unwrap();
        assert_eq!(full.batches, [super::super::super::engine::Done::Full]);
        append(&log, (2..5).map(grant)).await;
        assert_eq!(
            poll(&log, page.upto).await.records,
            [grant(2), grant(3), grant(4)]
        );
    }
}

#[tokio::test]
async fn many_expired_records_go_in_pieces_while_somebody_reads() {
    for server in Server::each(&[]) {
        let log = open(&server).await;
        append(&log, (0..5000).map(|number| until(number, 1))).await;
        append(&log, (0..5000).map(grant)).await;
        server.say("XTRIM {tr}:stream MAXLEN 1");
        let mut page = poll(&log, Cursor::default()).await;
        let mut records: HashSet<_> = page.records.iter().copied().collect();
        assert_eq!(log.sweep().await.unwrap(), 5000);
        while page.more {
            page = poll(&log, page.upto).await;
            records.extend(page.records);
        }
        assert!((0..5000).map(grant).all(|record| records.contains(&record)));
    }
}
