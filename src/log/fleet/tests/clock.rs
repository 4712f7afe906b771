//! A node whose clock is wrong.

use super::*;

#[tokio::test(start_paused = true)]
async fn node_with_a_wrong_clock_is_not_ready_until_the_clock_is_right() {
    let engine = Memory::default();
    let (begun, wall) = (
        Instant::now(),
        Duration::from_millis(Moment::now().millis()[1]),
    );
    let differ = |milliseconds: u64| {
        let behind = Duration::from_millis(milliseconds);
        let time = move || (wall + begun.elapsed()).saturating_sub(behind);
        *engine.time.lock().unwrap() = Some(Box::new(time));
    };
    differ(0);
    let log = node(&engine, 1);
    let health = log.health();
    assert!(!health.is_ready() && health.is_writable());
    assert!(health.reason().unwrap().contains("not been read"));
    let index = Index::follow(&log).await.unwrap();
    assert!(log.health().is_ready());
    assert_eq!(log.health().reason(), None);

    differ(30_000);
    wait_until(|| !log.health().is_ready()).await;
    let reason = log.health().reason().unwrap();
    assert!(reason.contains("30.0 s ahead"), "{reason}");
    // Everything goes on.
    assert!(log.health().is_writable() && index.readiness().is_ready());
    log.append(vec![grant(1)]).await.unwrap();
    assert!(covers(&index, 1));

    differ(900);
    wait_until(|| log.health().is_ready()).await;
}

#[tokio::test(start_paused = true)]
async fn node_without_an_answer_is_not_ready_once_its_lease_is_over() {
    let engine = Memory::default();
    let log = node(&engine, 1);
    let _index = Index::follow(&log).await.unwrap();
    engine.is_down.store(true, Ordering::SeqCst);
    sleep(LEASE / 2).await;
    assert!(log.health().is_ready());
    sleep(LEASE).await;
    let reason = log.health().reason().unwrap();
    assert!(!log.health().is_ready());
    assert!(
        reason.contains("connection refused") && reason.contains("s old"),
        "{reason}"
    );
    engine.is_down.store(false, Ordering::SeqCst);
    wait_until(|| log.health().is_ready()).await;
}
