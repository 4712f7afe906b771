//! What does a node get that goes on from somewhere?

use super::{
    super::super::engine::{Cursor, Engine, History},
    all, append, appended, batch, grant, poll, request, watermark,
};

/// A node goes on from every record, and begins again after a fork.
pub(crate) async fn cursors<E: Engine>(log: &E) {
    let mut cursors = Vec::new();
    let mut last = Cursor::default();
    for name in 0..20 {
        append(log, [grant(name)]).await;
        last = poll(log, last).await.upto;
        cursors.push(last);
    }
    for (number, here) in (1..).zip(cursors) {
        let Cursor { sequence, mark } = here;
        assert_eq!(sequence, number);
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

/// A request that is sent again after a loss does not make another history look the same. `save` saves
/// what the engine has, and `lose` makes it have only that.
pub(crate) async fn resent<E: Engine>(log: &E, save: impl Fn(), lose: impl Fn()) {
    append(log, [grant(1)]).await;
    save();
    let sent = request([batch([watermark("a", 100, 9_999_999_999), grant(3)])]);
    log.append(sent.clone()).await.unwrap();
    let before = poll(log, Cursor::default()).await.upto;
    lose();
    let later = watermark("a", 200, 9_999_999_999);
    append(log, [later]).await;
    log.append(sent).await.unwrap();
    // The last record is the same as before, and so is its place.
    let page = poll(log, before).await;
    assert_eq!(page.history, History::Other);
    assert_eq!(page.records, [grant(1), later, grant(3)]);
}

/// Nor if it is the next one after the loss, and its records get other dates this time.
pub(crate) async fn resent_at_its_place<E: Engine>(log: &E, save: impl Fn(), lose: impl Fn()) {
    append(log, [grant(1)]).await;
    save();
    let mut request = request([batch([watermark("a", 100, 9_999_999_999)])]);
    log.append(request.clone()).await.unwrap();
    let before = poll(log, Cursor::default()).await.upto;
    lose();
    let later = watermark("a", 200, 9_999_999_999);
    request.batches = vec![batch([later])];
    log.append(request).await.unwrap();
    let page = poll(log, before).await;
    assert_eq!(page.history, History::Other);
    assert_eq!(page.records, [grant(1), later]);
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
