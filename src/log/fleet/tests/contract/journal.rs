//! A journal: calls that are sent again, entries that have expired, and places.

use std::sync::Arc;

use super::{
    super::super::{
        super::{JournalEntry, JournalWrite, NumericDate, journal::tests::contract::contract},
        FleetLog,
        engine::Engine,
        journal::{JournalStore, KeyedEntry},
    },
    line,
};

pub(crate) fn store<E: Engine>(log: &E) -> Arc<dyn JournalStore> {
    log.journal_store().unwrap()
}

pub(crate) fn later() -> NumericDate {
    NumericDate::new(NumericDate::now().seconds() + 60)
}

/// An entry with a key of its own.
pub(crate) fn entry(key: u8, expires: NumericDate) -> KeyedEntry {
    KeyedEntry {
        key: vec![key; 32],
        content: vec![key],
        expires,
        due: None,
    }
}

/// Written as if it were due for `seconds` seconds since 1970.
fn due(key: u8, seconds: u64) -> KeyedEntry {
    KeyedEntry {
        due: Some(NumericDate::new(seconds)),
        ..entry(key, later())
    }
}

pub(crate) async fn write(
    store: &dyn JournalStore,
    mark: u64,
    batch: &[KeyedEntry],
) -> Vec<JournalWrite> {
    let written = store.write(mark, batch).await;
    written.unwrap_or_else(|error| panic!("{}", line(&error)))
}

/// Writes an entry that is not there, and returns its place.
pub(crate) async fn place(store: &dyn JournalStore, mark: u64, entry: KeyedEntry) -> u64 {
    match write(store, mark, &[entry]).await[..] {
        [JournalWrite::Written(place)] => place,
        ref other => panic!("{other:?}"),
    }
}

async fn contents(store: &dyn JournalStore) -> Vec<u8> {
    let page = store.newest(u64::MAX, 100).await.unwrap();
    page.entries.iter().map(|entry| entry.content[0]).collect()
}

/// What every journal does.
pub(crate) async fn all(url: &str) {
    let log = FleetLog::connect(url).await.unwrap();
    contract(&log.journal().unwrap()).await;
}

/// A call that is sent again, because its answer was lost, changes nothing more, and gets the same
/// answer. The same call of somebody else does not.
pub(crate) async fn resent<E: Engine>(one: &E, two: &E) {
    let [one, two] = [store(one), store(two)];
    let [random, other] = [vec![1; 16], vec![2; 16]];
    let no_key = |key| KeyedEntry { key, ..due(3, 20) };
    let batch = [due(1, 10), entry(2, later()), no_key(random)];
    let first = write(&*one, 7, &batch).await;
    let [
        JournalWrite::Written(a),
        JournalWrite::Written(b),
        JournalWrite::Written(c),
    ] = first[..]
    else {
        panic!("{first:?}");
    };
    assert!(0 < a && a < b && b < c);
    assert_eq!(write(&*two, 7, &batch).await, first);
    assert_eq!(contents(&*two).await, [3, 2, 1]);
    // Other entries come after, and those with a key are there.
    let again = write(&*two, 8, &[due(1, 10), no_key(other)]).await;
    let earlier = JournalEntry::new(a, 0, vec![1], Some(NumericDate::new(10)));
    assert_eq!(again[0], JournalWrite::Earlier(earlier.clone()));
    assert!(matches!(again[1], JournalWrite::Written(d) if d > c));
    assert_eq!(contents(&*one).await, [3, 3, 2, 1]);

    let taken = one.take_due(9, 2, 60).await.unwrap();
    assert_eq!(two.take_due(9, 2, 60).await.unwrap(), taken);
    let places: Vec<_> = taken.iter().map(|entry| entry.place).collect();
    assert_eq!(places, [a, c]);
    assert!(taken.iter().all(|entry| entry.version == 1));
    // The lease of those has not ended.
    let others = two.take_due(10, 9, 60).await.unwrap();
    assert_eq!((others.len(), others[0].content[0]), (1, 3));
    assert_eq!(one.take_due(11, 9, 60).await.unwrap(), []);

    let change = [
        taken[0].change(vec![4], None),
        JournalEntry::new(b, 1, vec![], None).change(vec![5], None),
        JournalEntry::new(c + 1000, 0, vec![], None).change(vec![6], None),
    ];
    for _ in 0..2 {
        let replaced = one.replace(12, &change).await.unwrap();
        assert_eq!(replaced, [true, false, false]);
    }
    assert_eq!(two.replace(13, &change[..1]).await.unwrap(), [false]);
    let changed = two.get(a).await.unwrap();
    assert_eq!(changed, Some(JournalEntry::new(a, 2, vec![4], None)));
    // It was written by this call, whatever became of it.
    assert_eq!(write(&*one, 7, &batch).await, first);
    assert_eq!(one.waiting().await.unwrap(), 2);
}

/// An entry that has expired is not there, and its key is free. A sweep removes it. `stored` counts
/// what the server has.
pub(crate) async fn expiry<E: Engine>(log: &E, stored: impl Fn() -> usize) {
    let store = store(log);
    let past = NumericDate::new(1);
    let expired = KeyedEntry {
        expires: past,
        ..due(1, 1)
    };
    let old = place(&*store, 1, expired).await;
    assert_eq!(store.get(old).await.unwrap(), None);
    assert_eq!(contents(&*store).await, [0; 0]);
    assert_eq!(store.take_due(2, 9, 60).await.unwrap(), []);
    assert_eq!(store.waiting().await.unwrap(), 0);
    let change = JournalEntry::new(old, 0, vec![], None).change(vec![], None);
    assert_eq!(store.replace(3, &[change]).await.unwrap(), [false]);

    let new = place(&*store, 4, entry(1, later())).await;
    assert!(new > old);
    place(&*store, 5, entry(2, past)).await;
    place(&*store, 6, entry(3, NumericDate::FOREVER)).await;
    log.sweep().await.unwrap();
    assert_eq!(stored(), 2);
    assert_eq!(contents(&*store).await, [3, 1]);
    let again = write(&*store, 7, &[entry(1, later()), entry(2, later())]).await;
    assert!(matches!(&again[0], JournalWrite::Earlier(known) if known.place == new));
    assert!(matches!(again[1], JournalWrite::Written(_)));
}

/// A place is not used again, although its entry was removed and the clock of the server was ahead
/// when it was written. `ahead` moves the entry at a place to a place that is far ahead, and makes it
/// expire.
pub(crate) async fn places<E: Engine>(log: &E, ahead: impl FnOnce(u64, u64)) {
    let store = store(log);
    let first = place(&*store, 1, entry(1, later())).await;
    let far = first + (1 << 50);
    ahead(first, far);
    let second = place(&*store, 2, entry(2, NumericDate::new(1))).await;
    assert!(second > far);
    log.sweep().await.unwrap();
    let third = place(&*store, 3, entry(3, later())).await;
    assert!(third > second);
}

/// Long entries come in several answers.
pub(crate) async fn long_entries<E: Engine>(log: &E) {
    const LENGTH: usize = 64 * 1024;
    let store = store(log);
    let batch = |from: u16| {
        let entries = (from..from + 300).map(|number| {
            let mut content = vec![b'x'; LENGTH];
            content[..2].copy_from_slice(&number.to_be_bytes());
            let key = [number.to_be_bytes(); 16].concat();
            let due = Some(NumericDate::new(1));
            KeyedEntry {
                key,
                content,
                expires: later(),
                due,
            }
        });
        entries.collect::<Vec<_>>()
    };
    let entries = batch(0);
    write(&*store, 1, &entries).await;
    // All of them are earlier ones.
    let earlier = write(&*store, 2, &entries).await;
    let is_whole = |write: &JournalWrite| matches!(write, JournalWrite::Earlier(entry) if entry.content.len() == LENGTH);
    assert_eq!(earlier.len(), 300);
    assert!(earlier.iter().all(is_whole));

    let mut before = Some(u64::MAX);
    let mut numbers = Vec::new();
    while let Some(place) = before {
        let page = store.newest(place, 256).await.unwrap();
        let number =
            |entry: &JournalEntry| u16::from_be_bytes([entry.content[0], entry.content[1]]);
        numbers.extend(page.entries.iter().map(number));
        before = page.next;
    }
    assert!(numbers.into_iter().eq((0..300).rev()));

    let mut taken = 0;
    loop {
        let some = store.take_due(3 + taken as u64, 256, 60).await.unwrap();
        if some.is_empty() {
            break;
        }
        taken += some.len();
    }
    assert_eq!(taken, 300);
}
