//! A process that ends in an orderly way.

use super::*;
use crate::enforce::Freshness;

#[tokio::test(start_paused = true)]
async fn closed_node_is_not_listed_and_answers_nothing() {
    let engine = Memory::default();
    let (log, other) = (node(&engine, 1), node(&engine, 2));
    let index = Index::follow(&log).await.unwrap();
    let _there = Index::follow(&other).await.unwrap();
    wait_until(|| other.members().len() == 2).await;
    let queued = log.append(vec![grant(1)]);
    log.close().await.unwrap();
    queued.await.unwrap();
    // Others do not wait for it.
    assert_eq!(engine.members.lock().unwrap().len(), 1);
    assert!(!log.health().is_ready());
    assert_eq!(index.freshness(), Freshness::Unready);
    let error = log.append(vec![grant(2)]).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Closed);
    assert_eq!(log.health().cause().unwrap().kind(), LogErrorKind::Closed);
    assert_eq!(log.close().await.unwrap_err().kind(), LogErrorKind::Closed);
    sleep(HOUR).await;
    assert_eq!(engine.members.lock().unwrap().len(), 1);
    assert_eq!(other.members().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn node_gives_back_what_the_log_has_lost_before_it_goes() {
    let engine = Memory::default();
    let log = node(&engine, 1);
    let _index = Index::follow(&log).await.unwrap();
    log.append(vec![grant(1)]).await.unwrap();
    engine.lose();
    assert!(!engine.has(grant(1)));
    let begun = Instant::now();
    log.close().await.unwrap();
    assert!(engine.has(grant(1)));
    assert!(engine.members.lock().unwrap().is_empty());
    assert!(begun.elapsed() < LEASE / 10, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn answer_of_an_engine_that_was_replaced_is_no_look_at_the_log() {
    let engine = Memory::default();
    let log = node(&engine, 1);
    let _index = Index::follow(&log).await.unwrap();
    log.append(vec![grant(1)]).await.unwrap();
    engine.lose();
    // The node gives it back to the second engine.
    wait_until(|| engine.has(grant(1)) && log.health().is_ready()).await;
    sleep(LEASE).await;
    engine.lose();
    engine.is_late.store(true, Ordering::SeqCst);
    log.close().await.unwrap();
    assert!(engine.has(grant(1)));
}

#[tokio::test(start_paused = true)]
async fn node_that_cannot_give_back_stays_listed_so_that_others_wait() {
    let engine = Memory::default();
    let log = node(&engine, 1);
    let _index = Index::follow(&log).await.unwrap();
    log.append(vec![grant(1)]).await.unwrap();
    engine.is_read_only.store(true, Ordering::SeqCst);
    engine.lose();
    let begun = Instant::now();
    log.close().await.unwrap();
    assert_eq!(engine.members.lock().unwrap().len(), 1);
    assert!(begun.elapsed() < 2 * LEASE, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn close_without_an_answer_fails_and_ends() {
    let engine = Memory::default();
    let log = node(&engine, 1);
    let _index = Index::follow(&log).await.unwrap();
    engine.is_silent.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    let append = log.append(vec![grant(1)]);
    assert_eq!(
        log.close().await.unwrap_err().kind(),
        LogErrorKind::Unavailable
    );
    assert_eq!(append.await.unwrap_err().kind(), LogErrorKind::Unavailable);
    assert!(begun.elapsed() < 2 * LEASE, "{:?}", begun.elapsed());
}
