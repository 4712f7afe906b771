//! What the core expects of every engine. The tests of an engine run this with real servers.

mod lives;
mod members;
#[cfg(feature = "embedded")]
mod mirror;
mod writers;

use super::super::{
    super::{LogError, NumericDate, Revocation, Selector},
    engine::{Append, Ask, Batch, Committed, Cursor, Done, Engine, History, Page, SKEW, stamped},
};

#[cfg(feature = "embedded")]
pub(crate) use self::mirror::mirror;
pub(crate) use self::{lives::lives, members::members, writers::writers};

const HOUR: u64 = 3600;

/// An error with its cause, in one line.
pub(crate) fn line(error: &LogError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {}", cause.unwrap_or_default())
}

pub(crate) fn grant(name: impl std::fmt::Display) -> Revocation {
    Revocation::forever(Selector::grant(&name.to_string()), NumericDate::FOREVER)
}

pub(crate) fn watermark(name: &str, seconds: u64, expires: u64) -> Revocation {
    let [seconds, expires] = [seconds, expires].map(NumericDate::new);
    Revocation::watermark(Selector::subject(name), seconds, expires)
}

pub(crate) fn batch(records: impl IntoIterator<Item = Revocation>) -> Batch {
    Batch {
        records: records.into_iter().collect(),
        new: usize::MAX,
    }
}

pub(crate) fn request(batches: impl IntoIterator<Item = Batch>) -> Append {
    Append {
        mark: getrandom::u64().unwrap(),
        batches: batches.into_iter().collect(),
        as_given: false,
    }
}

pub(crate) async fn append<E: Engine>(
    log: &E,
    records: impl IntoIterator<Item = Revocation>,
) -> Committed {
    let appended = log.append(request([batch(records)])).await;
    appended.unwrap_or_else(|error| panic!("{}", line(&error)))
}

/// A poll that only reads.
pub(crate) fn ask(after: Cursor) -> Ask {
    Ask {
        after,
        member: 1,
        report: None,
        silent: Vec::new(),
    }
}

pub(crate) async fn poll<E: Engine>(log: &E, after: Cursor) -> Page {
    let page = log.poll(ask(after)).await;
    page.unwrap_or_else(|error| panic!("{}", line(&error)))
}

/// The log from the beginning.
pub(crate) async fn all<E: Engine>(log: &E) -> Vec<Revocation> {
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

fn appended(sequence: u64, added: usize) -> Done {
    Done::Appended { sequence, added }
}

/// A record that is covered is not in the log twice, and dates survive. `latest` is the last second
/// that is not the end of time for the engine.
pub(crate) async fn records<E: Engine>(log: &E, latest: u64) {
    let empty = poll(log, Cursor::default()).await;
    assert_eq!(
        (empty.upto, empty.more, empty.history),
        (Cursor::default(), false, History::Same)
    );
    assert!(empty.records.is_empty());

    let dates = [
        0,
        1,
        (1 << 53) + 1,
        i64::MAX as u64 - 1,
        i64::MAX as u64,
        u64::MAX - 1,
        u64::MAX,
    ];
    let given: Vec<_> = dates
        .map(|date| watermark(&date.to_string(), date, date))
        .into();
    let committed = append(log, given.clone()).await;
    assert_eq!(committed.batches, [appended(7, 7)]);
    let expected = dates.map(|date| NumericDate::new(if date > latest { u64::MAX } else { date }));
    let read = all(log).await;
    let read: Vec<_> = read
        .iter()
        .map(|record| (record.not_before(), record.expires()))
        .collect();
    assert_eq!(read, expected.map(|date| (date, date)));

    let again = append(log, given).await;
    assert_eq!(again.batches, [appended(7, 0)]);
    assert_eq!(again.incarnation, committed.incarnation);
    let page = poll(log, Cursor::default()).await;
    assert_eq!(
        (page.upto.sequence, page.incarnation),
        (7, committed.incarnation)
    );
    let rest = poll(log, page.upto).await;
    assert_eq!(
        (rest.upto, rest.records.len(), rest.more),
        (page.upto, 0, false)
    );
    assert_eq!(append(log, []).await.batches, [appended(7, 0)]);
    assert!(log.append(request([])).await.unwrap().batches.is_empty());
}

/// Two records of one selector are one, with the later dates.
pub(crate) async fn merging<E: Engine>(log: &E) {
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
        matches!(done[0], Done::Appended { added: 2, .. }),
        "{done:?}"
    );
    assert!(
        matches!(done[1], Done::Appended { added: 0, .. }),
        "{done:?}"
    );
    assert_eq!(done[2], appended(2, 0));
    append(log, [watermark("a", 250, 100)]).await;
    append(log, [watermark("a", 100, 990)]).await;
    let expected = [
        watermark("a", 200, 950),
        watermark("b", 5, 5),
        watermark("a", 250, 950),
        watermark("a", 250, 990),
    ];
    assert_eq!(all(log).await, expected);
}

/// A batch over a limit writes nothing, and the others commit. The log has a ceiling of 5.
pub(crate) async fn limits<E: Engine>(log: &E) {
    append(log, [grant("known")]).await;
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
    assert_eq!(all(log).await, ["known", "a", "b", "c", "d"].map(grant));
    // What the log had before comes back, whatever the limits are.
    let given = Append {
        as_given: true,
        ..request([few(0, &["lost", "too"])])
    };
    assert_eq!(log.append(given).await.unwrap().batches, [appended(7, 2)]);
}

/// A watermark that was meant for now is raised to the engine's time.
pub(crate) async fn stamping<E: Engine>(log: &E) {
    let at = append(log, [grant("first")]).await.at.seconds();
    let dates = [at - SKEW / 2, at - HOUR, at + HOUR];
    let given = dates.map(|date| watermark(&date.to_string(), date, at + 9));
    let as_given = Append {
        as_given: true,
        ..request([batch([watermark("given", at - 1, at)])])
    };
    log.append(as_given).await.unwrap();
    let now = append(log, given).await.at;
    assert!((at..at + SKEW / 2).contains(&now.seconds()));
    let read = all(log).await;
    assert_eq!(read[1], watermark("given", at - 1, at));
    assert_eq!(read[2..], given.map(|record| stamped(record, now)));
    assert_ne!(read[2], given[0]);
}

/// A node goes on from every record, and begins again after a fork.
pub(crate) async fn cursors<E: Engine>(log: &E) {
    let mut marks = Vec::new();
    for name in 0..20 {
        let append = request([batch([grant(name)])]);
        marks.push(append.mark);
        log.append(append).await.unwrap();
    }
    for (sequence, mark) in (1_u64..).zip(marks) {
        let here = Cursor { sequence, mark };
        let page = poll(log, here).await;
        assert_eq!((page.history, page.more), (History::Same, false));
        assert_eq!(page.records, (sequence..20).map(grant).collect::<Vec<_>>());
        let others = [
            (sequence, mark ^ 1),
            (sequence + 20, mark),
            (u64::MAX, mark),
        ];
        for (sequence, mark) in others {
            let page = poll(log, Cursor { sequence, mark }).await;
            assert_eq!(page.history, History::Other);
            assert_eq!((page.records.len(), page.upto.sequence), (20, 20));
            assert_eq!(poll(log, page.upto).await.history, History::Same);
        }
    }
}

/// A long log comes in pages.
pub(crate) async fn pages<E: Engine>(log: &E) {
    let given: Vec<_> = (0..9000).map(grant).collect();
    let batches = given
        .chunks(1500)
        .map(|records| batch(records.iter().copied()));
    let done = log.append(request(batches)).await.unwrap().batches;
    assert_eq!(done[5], appended(9000, 1500));
    let first = poll(log, Cursor::default()).await;
    assert!(first.more && first.records.len() < 9000);
    assert_eq!(all(log).await, given);
}
