//! Which records are in the log after an append?

use super::{
    super::super::{
        super::NumericDate,
        engine::{Append, Batch, Cursor, Done, Engine, History, SKEW, stamped},
    },
    all, append, appended, batch, grant, poll, request, watermark,
};

const HOUR: u64 = 3600;

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
