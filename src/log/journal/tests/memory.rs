use super::{super::*, contract::contract};
use crate::log::{LogErrorKind, NumericDate};

#[tokio::test]
async fn journal_in_memory_holds_the_contract() {
    contract(&MemoryJournal::new()).await;
}

#[tokio::test]
async fn full_journal_refuses_and_forgets_nothing_that_is_kept() {
    let journal = MemoryJournal::new().capacity(2);
    let entry = |expires| NewJournalEntry::new(Vec::new(), expires);
    let kept = entry(NumericDate::FOREVER);
    let expired = entry(NumericDate::new(1));
    journal.write(vec![kept.clone(), expired]).await.unwrap();
    // The expired one makes room.
    journal.write(vec![kept.clone()]).await.unwrap();
    let error = journal.write(vec![kept]).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Full);
    assert_eq!(journal.newest(None, 9).await.unwrap().len(), 2);
}
