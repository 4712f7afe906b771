//! What is expected of every journal. The tests of a journal run this, those of a server with a real
//! one.

use std::time::Duration;

use super::super::{
    super::{LogErrorKind, NumericDate},
    Journal, JournalEntry, JournalWrite, NewJournalEntry,
};

const HOUR: Duration = Duration::from_secs(3600);

/// Runs everything on a journal, which has no due entry before and afterwards.
pub(crate) async fn contract(journal: &dyn Journal) {
    entries_are_in_the_order_in_which_they_were_written(journal).await;
    key_has_one_entry(journal).await;
    entry_is_replaced_if_its_version_is_the_same(journal).await;
    due_entry_is_taken_by_one(journal).await;
    expired_entry_is_not_there(journal).await;
    long_content_is_refused_with_its_batch(journal).await;
}

async fn entries_are_in_the_order_in_which_they_were_written(journal: &dyn Journal) {
    assert!(journal.write(Vec::new()).await.unwrap().is_empty());
    let first = written(journal, [entry("a"), entry("b"), entry("c")]).await;
    let second = written(journal, [entry("d")]).await;
    let places: Vec<_> = first.into_iter().chain(second).collect();
    assert!(places[0] > 0 && places.is_sorted_by(|a, b| a < b));
    for (place, content) in places.iter().zip(["a", "b", "c", "d"]) {
        let kept = journal.get(*place).await.unwrap().unwrap();
        assert_eq!((kept.place, kept.version, kept.due), (*place, 0, None));
        assert_eq!(kept.content, content.as_bytes());
    }
    assert_eq!(journal.get(places[3] + 1).await.unwrap(), None);
    assert_eq!(journal.get(0).await.unwrap(), None);
    assert_eq!(journal.get(u64::MAX).await.unwrap(), None);
    assert_eq!(newest(journal, None, 2).await, ["d", "c"]);
    assert_eq!(newest(journal, Some(places[3]), 2).await, ["c", "b"]);
    assert_eq!(newest(journal, Some(u64::MAX), 1).await, ["d"]);
    assert!(newest(journal, Some(0), 1).await.is_empty());
    assert!(newest(journal, None, 0).await.is_empty());
}

async fn key_has_one_entry(journal: &dyn Journal) {
    let [key, other] = [[1; 32], [2; 32]];
    assert_eq!(journal.find(key).await.unwrap(), None);
    let place = written(journal, [with_key("first", key)]).await[0];
    let kept = journal.get(place).await.unwrap().unwrap();
    assert_eq!(journal.find(key).await.unwrap().as_ref(), Some(&kept));
    let batch = vec![
        with_key("again", key),
        with_key("other", other),
        with_key("twice", other),
    ];
    let writes = journal.write(batch).await.unwrap();
    let [
        earlier,
        JournalWrite::Written(second),
        JournalWrite::Earlier(twice),
    ] = &*writes
    else {
        panic!("{writes:?}");
    };
    assert_eq!(*earlier, JournalWrite::Earlier(kept.clone()));
    assert!(*second > place);
    assert_eq!(
        (twice.place, twice.version, &*twice.content),
        (*second, 0, &b"other"[..])
    );
    // The earlier entry is as it is now.
    let change = kept.change(b"changed".to_vec(), None);
    assert_eq!(journal.replace(vec![change]).await.unwrap(), [true]);
    let writes = journal.write(vec![with_key("again", key)]).await.unwrap();
    let now = JournalEntry::new(place, 1, b"changed".to_vec(), None);
    assert_eq!(writes, [JournalWrite::Earlier(now)]);
    assert_eq!(newest(journal, None, 2).await, ["other", "changed"]);
}

async fn entry_is_replaced_if_its_version_is_the_same(journal: &dyn Journal) {
    let places = written(journal, [entry("a"), entry("b")]).await;
    let a = journal.get(places[0]).await.unwrap().unwrap();
    let b = journal.get(places[1]).await.unwrap().unwrap();
    let due = NumericDate::now() + HOUR;
    let batch = vec![
        a.change(b"A".to_vec(), Some(due)),
        a.change(b"twice".to_vec(), None),
        b.change(b"B".to_vec(), None),
        JournalEntry::new(places[1] + 1, 0, Vec::new(), None).change(Vec::new(), None),
    ];
    let replaced = journal.replace(batch).await.unwrap();
    assert_eq!(replaced, [true, false, true, false]);
    let changed = journal.get(places[0]).await.unwrap().unwrap();
    let expected = JournalEntry::new(places[0], 1, b"A".to_vec(), Some(due));
    assert_eq!(changed, expected);
    assert_eq!(journal.waiting().await.unwrap(), 1);
    // An empty content is one, too.
    let change = changed.change(Vec::new(), None);
    assert_eq!(journal.replace(vec![change]).await.unwrap(), [true]);
    let last = journal.get(places[0]).await.unwrap().unwrap();
    assert_eq!(last, JournalEntry::new(places[0], 2, Vec::new(), None));
    assert_eq!(journal.waiting().await.unwrap(), 0);
    assert!(journal.replace(Vec::new()).await.unwrap().is_empty());
}

async fn due_entry_is_taken_by_one(journal: &dyn Journal) {
    let now = NumericDate::now();
    let ago = |seconds| NumericDate::new(now.seconds() - seconds);
    let batch = [
        with_due("second", ago(20)),
        with_due("first", ago(30)),
        with_due("later", now + HOUR),
        with_due("third", ago(10)),
        entry("never"),
    ];
    let places = written(journal, batch).await;
    let of = |taken: &[JournalEntry]| -> Vec<_> { taken.iter().map(|it| it.place).collect() };
    assert_eq!(journal.waiting().await.unwrap(), 4);
    assert!(journal.take_due(0, HOUR).await.unwrap().is_empty());
    let mut taken = journal.take_due(2, HOUR).await.unwrap();
    assert_eq!(of(&taken), [places[1], places[0]]);
    for entry in &taken {
        assert_eq!(entry.version, 1);
        assert!(entry.due.is_some_and(|due| due >= now + HOUR));
        let kept = journal.get(entry.place).await.unwrap();
        assert_eq!(kept.as_ref(), Some(entry));
    }
    // A lease that has ended is no lease.
    let third = journal.take_due(9, Duration::ZERO).await.unwrap();
    assert_eq!(of(&third), [places[3]]);
    let again = journal.take_due(9, HOUR).await.unwrap();
    assert_eq!((of(&again), again[0].version), (vec![places[3]], 2));
    assert!(journal.take_due(9, HOUR).await.unwrap().is_empty());
    assert_eq!(journal.waiting().await.unwrap(), 4);
    // Whoever had it before can no longer change it.
    let stale = third[0].change(b"stale".to_vec(), None);
    assert_eq!(journal.replace(vec![stale]).await.unwrap(), [false]);
    taken.extend(again);
    taken.extend(journal.get(places[2]).await.unwrap());
    let done = taken.iter().map(|it| it.change(it.content.clone(), None));
    assert_eq!(journal.replace(done.collect()).await.unwrap(), [true; 4]);
    assert_eq!(journal.waiting().await.unwrap(), 0);
}

async fn expired_entry_is_not_there(journal: &dyn Journal) {
    let key = [3; 32];
    let mut expired = with_key("expired", key);
    expired.expires = NumericDate::new(1);
    expired.due = Some(NumericDate::new(1));
    let places = written(journal, [entry("before"), expired.clone(), entry("after")]).await;
    assert_eq!(journal.get(places[1]).await.unwrap(), None);
    assert_eq!(journal.find(key).await.unwrap(), None);
    assert_eq!(newest(journal, None, 2).await, ["after", "before"]);
    assert_eq!(journal.waiting().await.unwrap(), 0);
    assert!(journal.take_due(9, HOUR).await.unwrap().is_empty());
    let change = JournalEntry::new(places[1], 0, Vec::new(), None).change(Vec::new(), None);
    assert_eq!(journal.replace(vec![change]).await.unwrap(), [false]);
    // Its key is free, and its place is not.
    let next = written(journal, [with_key("next", key)]).await[0];
    assert!(next > places[2]);
    assert_eq!(journal.find(key).await.unwrap().unwrap().place, next);
    // Expired entries are removed, and take nothing of others with them.
    for _ in 0..20 {
        written(journal, [expired.clone().without_key()]).await;
    }
    assert_eq!(journal.find(key).await.unwrap().unwrap().place, next);
    assert_eq!(newest(journal, None, 3).await, ["next", "after", "before"]);
    assert_eq!(journal.waiting().await.unwrap(), 0);
}

async fn long_content_is_refused_with_its_batch(journal: &dyn Journal) {
    let content = |length| NewJournalEntry::new(vec![7; length], NumericDate::FOREVER);
    let longest = NewJournalEntry::MAX_CONTENT;
    let place = written(journal, [content(longest)]).await[0];
    let kept = journal.get(place).await.unwrap().unwrap();
    assert_eq!(kept.content, vec![7; longest]);
    let batch = vec![entry("short"), content(longest + 1)];
    let error = journal.write(batch).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Full);
    assert_eq!(journal.newest(None, 1).await.unwrap()[0].place, place);
    let long = vec![kept.change(vec![7; longest + 1], None)];
    let error = journal.replace(long).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Full);
    assert_eq!(journal.get(place).await.unwrap(), Some(kept));
}

impl NewJournalEntry {
    fn without_key(mut self) -> Self {
        self.key = None;
        self
    }
}

fn entry(content: &str) -> NewJournalEntry {
    NewJournalEntry::new(content.into(), NumericDate::now() + HOUR)
}

fn with_key(content: &str, key: [u8; 32]) -> NewJournalEntry {
    let mut entry = entry(content);
    entry.key = Some(key);
    entry.expires = NumericDate::FOREVER;
    entry
}

fn with_due(content: &str, due: NumericDate) -> NewJournalEntry {
    let mut entry = entry(content);
    entry.due = Some(due);
    entry
}

/// Writes entries without earlier ones. Returns their places.
async fn written<const N: usize>(journal: &dyn Journal, batch: [NewJournalEntry; N]) -> Vec<u64> {
    let writes = journal.write(batch.to_vec()).await.unwrap();
    assert_eq!(writes.len(), N);
    let place = |write| match write {
        JournalWrite::Written(place) => place,
        JournalWrite::Earlier(entry) => panic!("{entry:?} is earlier"),
    };
    writes.into_iter().map(place).collect()
}

async fn newest(journal: &dyn Journal, before: Option<u64>, limit: usize) -> Vec<String> {
    let entries = journal.newest(before, limit).await.unwrap();
    let content = |it: JournalEntry| String::from_utf8(it.content).unwrap();
    entries.into_iter().map(content).collect()
}
