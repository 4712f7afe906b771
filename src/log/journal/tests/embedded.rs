use redb::{ReadableTable as _, TableDefinition};

use super::{super::*, contract::contract};
use crate::log::{EmbeddedLog, LogErrorKind, NumericDate};

fn opened(folder: &tempfile::TempDir) -> (EmbeddedLog, EmbeddedJournal) {
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let journal = EmbeddedJournal::open(log.clone()).unwrap();
    (log, journal)
}

fn entry(content: &[u8]) -> NewJournalEntry {
    NewJournalEntry::new(content.to_vec(), NumericDate::FOREVER)
}

#[tokio::test]
async fn journal_in_a_file_holds_the_contract_before_and_after_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let (_, journal) = opened(&folder);
    assert!(journal.newest(None, 1).await.unwrap().is_empty());
    contract(&journal).await;
    let before = journal.newest(None, 100).await.unwrap();
    drop(journal);
    let (_, journal) = opened(&folder);
    assert_eq!(journal.newest(None, 100).await.unwrap(), before);
    let place = journal.write(vec![entry(b"next")]).await.unwrap();
    assert!(matches!(*place, [JournalWrite::Written(place)] if place > before[0].place));
}

#[tokio::test]
async fn place_of_a_removed_entry_is_not_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let (_, journal) = opened(&folder);
    let expired = NewJournalEntry::new(Vec::new(), NumericDate::new(1));
    let first = journal.write(vec![expired]).await.unwrap();
    assert_eq!(first, [JournalWrite::Written(1)]);
    drop(journal);
    let (_, journal) = opened(&folder);
    for place in 2..4 {
        let written = journal.write(vec![entry(b"kept")]).await.unwrap();
        assert_eq!(written, [JournalWrite::Written(place)]);
    }
}

#[tokio::test]
async fn full_journal_refuses_and_forgets_nothing_that_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let journal = opened(&folder).1.capacity(2);
    let expired = NewJournalEntry::new(Vec::new(), NumericDate::new(1));
    journal.write(vec![entry(b"kept"), expired]).await.unwrap();
    // The expired one makes room.
    journal.write(vec![entry(b"kept")]).await.unwrap();
    let error = journal.write(vec![entry(b"more")]).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Full);
    assert_eq!(journal.newest(None, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn damaged_entry_is_skipped() {
    const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("journal_entries");
    let folder = tempfile::tempdir().unwrap();
    let (log, journal) = opened(&folder);
    let mut keyed = entry(b"damaged");
    keyed.key = Some([1; 32]);
    keyed.due = Some(NumericDate::new(1));
    let batch = vec![entry(b"a"), keyed.clone(), entry(b"c")];
    journal.write(batch).await.unwrap();
    for bit in [0, 12 * 8, 40 * 8] {
        let damaged = log.write(move |work| {
            let mut entries = work.transaction.open_table(ENTRIES)?;
            let mut row = entries.get(2)?.unwrap().value().to_vec();
            row[bit / 8] ^= 1;
            entries.insert(2, &*row)?;
            work.dirty = true;
            Ok(())
        });
        damaged.await.unwrap();
        assert_eq!(journal.get(2).await.unwrap(), None);
        assert_eq!(journal.find([1; 32]).await.unwrap(), None);
    }
    let newest = journal.newest(None, 9).await.unwrap();
    assert_eq!(newest.len(), 2);
    let lease = Duration::from_secs(60);
    assert!(journal.take_due(9, lease).await.unwrap().is_empty());
    assert_eq!(journal.waiting().await.unwrap(), 0);
    // Its key is free.
    let written = journal.write(vec![keyed]).await.unwrap();
    assert_eq!(written, [JournalWrite::Written(4)]);
}

#[tokio::test]
async fn row_of_another_place_is_damaged() {
    const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("journal_entries");
    let folder = tempfile::tempdir().unwrap();
    let (log, journal) = opened(&folder);
    journal.write(vec![entry(b"a"), entry(b"b")]).await.unwrap();
    let moved = log.write(move |work| {
        let mut entries = work.transaction.open_table(ENTRIES)?;
        let row = entries.get(1)?.unwrap().value().to_vec();
        entries.insert(2, &*row)?;
        work.dirty = true;
        Ok(())
    });
    moved.await.unwrap();
    assert_eq!(journal.get(2).await.unwrap(), None);
    assert!(journal.get(1).await.unwrap().is_some());
}

#[tokio::test]
async fn content_and_key_are_not_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let (log, journal) = opened(&folder);
    let mut secret = entry(b"laptop stolen, ticket 4711");
    secret.key = Some(*b"a key that a peer has chosen....");
    journal.write(vec![secret.clone()]).await.unwrap();
    drop((log, journal));
    let file = std::fs::read(folder.path().join("log.redb")).unwrap();
    let has = |text: &[u8]| file.windows(text.len()).any(|it| it == text);
    assert!(!has(&secret.content) && !has(&secret.key.unwrap()));
    assert!(has(b"journal_entries"));
}

#[tokio::test]
async fn backup_has_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let (log, journal) = opened(&folder);
    journal.write(vec![entry(b"a")]).await.unwrap();
    let copy = folder.path().join("copy.redb");
    log.backup(&copy).await.unwrap();
    let restored = folder.path().join("restored.redb");
    let log = EmbeddedLog::restore(&copy, &restored).unwrap();
    let journal = EmbeddedJournal::open(log).unwrap();
    assert_eq!(journal.get(1).await.unwrap().unwrap().content, b"a");
}
