//! What does a node get that goes on from somewhere?

use super::{
    super::super::engine::{Cursor, Engine, History},
    all, appended, batch, grant, poll, request,
};

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
