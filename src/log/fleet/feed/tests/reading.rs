//! A leaf only reads.

use std::error::Error as _;

use super::{
    super::super::{
        engine::{Append, Ask, Batch},
        tests::events::Lines,
    },
    *,
};
use crate::log::LogErrorKind;

#[tokio::test(start_paused = true)]
async fn append_fails_at_once_and_says_what_to_do() {
    let (time, engine, wire) = (Time::begin(), Model::new(), Wire::new());
    let root = time.node(engine.connection(), 1);
    let leaf = time.leaf(&wire, feed(&root), 2);
    let _heard = Heard::follow(&leaf).await;
    for _ in 0..100 {
        let begun = Instant::now();
        let error = leaf.append(vec![record(1)]).await.unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Misconfigured);
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains("revoke at a process"), "{cause}");
        assert_eq!(begun.elapsed(), Duration::ZERO);
        // It does what it can do.
        sleep(LEASE / 50).await;
        assert!(leaf.health().is_writable());
    }
}

#[tokio::test(start_paused = true)]
async fn events_of_a_leaf_are_about_following() {
    let (lines, _listening) = Lines::listen();
    let (time, engine, wire) = (Time::begin(), Model::new(), Wire::new());
    let root = time.node(engine.connection(), 1);
    let leaf = time.leaf(&wire, feed(&root), 2);
    let _heard = Heard::follow(&leaf).await;
    lines.take();
    wire.hang(true);
    wait_until(|| !leaf.health().is_writable()).await;
    let lost = lines.take();
    assert!(
        lost.contains("the log of revocations cannot be followed"),
        "{lost}"
    );
    wire.hang(false);
    wait_until(|| leaf.health().is_writable()).await;
    let found = lines.take();
    assert!(
        found.contains("the log of revocations can be followed again"),
        "{found}"
    );
}

#[tokio::test(start_paused = true)]
async fn append_without_a_record_succeeds() {
    let (time, engine, wire) = (Time::begin(), Model::new(), Wire::new());
    let root = time.node(engine.connection(), 1);
    let _heard = Heard::follow(&root).await;
    let service = feed(&root);
    let leaf = Leaf::new(place(), wire.to(move || service.clone()), LEASE);
    leaf.poll(Ask::reading(Cursor::default())).await.unwrap();
    let append = |batches| Append {
        mark: 1,
        batches,
        as_given: false,
    };
    leaf.append(append(Vec::new())).await.unwrap();
    let batch = Batch {
        records: vec![record(1)],
        new: 1,
    };
    let error = leaf.append(append(vec![batch])).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Misconfigured);
}
