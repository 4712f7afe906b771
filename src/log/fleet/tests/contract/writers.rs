//! Many writers and many readers.

use std::{collections::HashSet, sync::Arc};

use futures::future::join_all;

use super::{super::super::engine::Engine, Cursor, History, Revocation, append, grant, poll};

/// Follows the log until it has `count` records.
async fn follow<E: Engine>(log: Arc<E>, count: usize) -> Vec<Revocation> {
    let mut records = Vec::new();
    let mut cursor = Cursor::default();
    while records.len() < count {
        let page = poll(&*log, cursor).await;
        assert_eq!(page.history, History::Same);
        assert_eq!(
            page.upto.sequence,
            cursor.sequence + page.records.len() as u64
        );
        records.extend(page.records);
        cursor = page.upto;
        if !page.more && records.len() < count {
            log.hint().await;
        }
    }
    records
}

/// There is no gap, and every reader sees one order.
pub(crate) async fn writers<E: Engine>(logs: Vec<E>, callers: usize, rounds: usize) {
    let logs: Vec<_> = logs.into_iter().map(Arc::new).collect();
    let all = logs.len() * callers * rounds;
    let readers: Vec<_> = logs
        .iter()
        .map(|log| tokio::spawn(follow(log.clone(), all)))
        .collect();
    let writers = logs.iter().enumerate().map(async |(node, log)| {
        let callers = (0..callers).map(async |caller| {
            for round in 0..rounds {
                append(&**log, [grant(format!("{node} {caller} {round}"))]).await;
            }
        });
        join_all(callers).await;
    });
    join_all(writers).await;
    let mut seen = Vec::new();
    for reader in readers {
        seen.push(reader.await.unwrap());
    }
    assert!(seen.iter().all(|records| *records == seen[0]));
    assert_eq!(seen[0].iter().collect::<HashSet<_>>().len(), all);
}
