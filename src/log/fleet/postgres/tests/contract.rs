//! What is appended, is read: in order, once, and under the limits.

use super::*;

const HOUR: u64 = 3600;

fn watermark(name: &str, seconds: u64, expires: u64) -> Revocation {
    let [seconds, expires] = [seconds, expires].map(NumericDate::new);
    Revocation::watermark(Selector::subject(name), seconds, expires)
}

/// The log from the beginning.
async fn all(log: &Postgres) -> Vec<Revocation> {
    let mut records = Vec::new();
    let mut cursor = Cursor::default();
    loop {
        let page = poll(log, cursor).await;
        assert_eq!(page.history, History::Same);
        records.extend(page.records);
        cursor = page.upto;
        if !page.more {
            return records;
        }
    }
}

#[tokio::test]
async fn log_has_each_record_once_in_order_and_covered_ones_never() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    let empty = poll(&log, Cursor::default()).await;
    assert_eq!(
        (empty.upto, empty.more, empty.history),
        (Cursor::default(), false, History::Same)
    );
    assert!(empty.records.is_empty());

    let dates = [
        0,
        1,
        i64::MAX as u64 - 1,
        i64::MAX as u64,
        u64::MAX - 1,
        u64::MAX,
    ];
    let given: Vec<_> = dates
        .map(|date| watermark(&date.to_string(), date, date))
        .into();
    let committed = append(&log, given.clone()).await;
    assert_eq!(
        committed.batches,
        [Done::Appended {
            sequence: 6,
            added: 6
        }]
    );
    let read = all(&log).await;
    for (date, record) in dates.into_iter().zip(&read) {
        let expected = if date < i64::MAX as u64 {
            date
        } else {
            u64::MAX
        };
        let expected = NumericDate::new(expected);
        assert_eq!(
            (record.not_before(), record.expires()),
            (expected, expected)
        );
    }
    assert_eq!(read.len(), 6);

    let again = append(&log, given).await;
    assert_eq!(
        again.batches,
        [Done::Appended {
            sequence: 6,
            added: 0
        }]
    );
    assert_eq!(again.incarnation, committed.incarnation);
    let page = poll(&log, Cursor::default()).await;
    assert_eq!(
        (page.upto.sequence, page.incarnation),
        (6, committed.incarnation)
    );
    let rest = poll(&log, page.upto).await;
    assert_eq!(
        (rest.upto, rest.records.len(), rest.more),
        (page.upto, 0, false)
    );
    let none = append(&log, []).await;
    assert_eq!(
        none.batches,
        [Done::Appended {
            sequence: 6,
            added: 0
        }]
    );
    assert!(log.append(request([])).await.unwrap().batches.is_empty());
}

#[tokio::test]
async fn records_merge_by_the_later_dates() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    let batches = [
        batch([
            watermark("a", 100, 900),
            watermark("a", 200, 300),
            watermark("b", 5, 5),
        ]),
        batch([watermark("a", 150, 950)]),
        batch([watermark("b", 4, 4)]),
    ];
    let done = log.append(request(batches)).await.unwrap().batches;
    assert!(
        matches!(
            done[..],
            [
                Done::Appended { added: 2, .. },
                Done::Appended { added: 0, .. },
                Done::Appended {
                    added: 0,
                    sequence: 2
                },
            ]
        ),
        "{done:?}"
    );
    append(&log, [watermark("a", 250, 100)]).await;
    append(&log, [watermark("a", 100, 990)]).await;
    let expected = [
        watermark("a", 200, 950),
        watermark("b", 5, 5),
        watermark("a", 250, 950),
        watermark("a", 250, 990),
    ];
    assert_eq!(all(&log).await, expected);
}

#[tokio::test]
async fn refused_batches_write_nothing_and_the_others_commit() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let limited = Options {
        ceiling: 5,
        ..options()
    };
    let log = Postgres::open(&server.url("postgres"), limited)
        .await
        .unwrap();
    append(&log, [grant("known")]).await;
    let few = |new, names: &[&str]| Batch {
        new,
        ..batch(names.iter().map(grant))
    };
    let batches = [
        few(1, &["a", "b"]),
        few(1, &["known", "a", "a"]),
        few(0, &["a", "known"]),
        few(9, &["b", "c", "d", "e"]),
        few(9, &["b", "c", "d"]),
        few(9, &["f"]),
        few(9, &["a", "b"]),
        few(0, &["f"]),
    ];
    let done = log.append(request(batches)).await.unwrap().batches;
    let appended = |sequence, added| Done::Appended { sequence, added };
    let expected = [
        Done::TooMany,
        appended(2, 1),
        appended(2, 0),
        Done::Full,
        appended(5, 3),
        Done::Full,
        appended(5, 0),
        Done::TooMany,
    ];
    assert_eq!(done, expected);
    assert_eq!(all(&log).await, ["known", "a", "b", "c", "d"].map(grant));
}

#[tokio::test]
async fn watermark_for_now_is_raised_to_the_time_of_the_server() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    let at = append(&log, [grant("first")]).await.at.seconds();
    let dates = [at - 30, at - HOUR, at + HOUR];
    let given = dates.map(|date| watermark(&date.to_string(), date, at + 9));
    let now = append(&log, given).await.at.seconds();
    assert!((at..at + 30).contains(&now));
    let read = all(&log).await;
    let stored: Vec<_> = read[1..]
        .iter()
        .map(|record| record.not_before().seconds())
        .collect();
    assert_eq!(stored, [now, at - HOUR, at + HOUR]);
    for (record, stored) in given.into_iter().zip(&read[1..]) {
        let expected = super::super::super::engine::stamped(record, NumericDate::new(now));
        assert_eq!(expected, *stored);
    }
    // The clock of the server went back a little: the time of the log does not. Far ahead, it was
    // wrong.
    let mut last = now;
    for (ahead, counts) in [(30, true), (HOUR, false)] {
        let set = format!("update tower_revocation.log set at = {}", last + ahead);
        server.sql("postgres", &set);
        let at = append(&log, [grant(ahead)]).await.at.seconds();
        assert_eq!(at == last + ahead, counts, "{at}");
        last = now;
    }
    let behind = watermark("behind", now - 30, now + 9);
    append(&log, [behind]).await;
    let stored = all(&log).await.last().unwrap().not_before().seconds();
    assert!((now..now + 60).contains(&stored), "{stored}");
}

#[tokio::test]
async fn reader_goes_on_from_every_cursor_and_begins_again_after_a_fork() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    for name in 0..20 {
        append(&log, [grant(name)]).await;
    }
    let marks = server.sql(
        "postgres",
        "select mark from tower_revocation.log order by sequence",
    );
    let marks = marks.lines().map(|mark| mark.parse::<i64>().unwrap());
    for (before, mark) in (1_u64..).zip(marks) {
        let mark = super::super::values::unsigned(mark);
        let here = Cursor {
            sequence: before,
            mark,
        };
        let page = poll(&log, here).await;
        assert!(page.history == History::Same && !page.more);
        assert_eq!(page.records, (before..20).map(grant).collect::<Vec<_>>());
        for other in [
            Cursor {
                mark: mark ^ 1,
                ..here
            },
            Cursor {
                sequence: before + 20,
                mark,
            },
            Cursor {
                sequence: u64::MAX,
                mark,
            },
        ] {
            let page = poll(&log, other).await;
            assert_eq!(page.history, History::Other);
            assert_eq!((page.records.len(), page.upto.sequence), (20, 20));
            assert_eq!(poll(&log, page.upto).await.history, History::Same);
        }
    }
}

#[tokio::test]
async fn long_log_comes_in_pages() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    let given: Vec<_> = (0..9000).map(grant).collect();
    let batches = given
        .chunks(1500)
        .map(|records| batch(records.iter().copied()));
    let done = log.append(request(batches)).await.unwrap().batches;
    assert_eq!(
        done[5],
        Done::Appended {
            sequence: 9000,
            added: 1500
        }
    );
    let first = poll(&log, Cursor::default()).await;
    assert_eq!((first.records.len(), first.more), (4096, true));
    assert_eq!(all(&log).await, given);
}
