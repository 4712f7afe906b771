//! Nodes with an engine in memory, and a clock that the test moves.

mod clock;
mod close;
pub(super) mod contract;
mod engine;
#[path = "../../../../tests/fixture/events.rs"]
pub(super) mod events;
#[path = "../../../../tests/fixture/memory.rs"]
pub(super) mod memory;
#[cfg(feature = "embedded")]
mod mirror;
#[path = "../../../../tests/fixture/port.rs"]
pub(super) mod port;

use std::{
    error::Error as _,
    future::{Future as _, poll_fn},
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use futures::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use self::engine::Memory;
use super::{FleetLog, core::NodeSettings};
use crate::{
    enforce::Index,
    error::Error,
    log::{LogErrorKind, Moment, NumericDate, Revocation, RevocationLog as _, Selector},
};

const LEASE: Duration = Duration::from_secs(5);
const HOUR: Duration = Duration::from_secs(3600);

fn node(engine: &Memory, seed: u64) -> FleetLog {
    let settings = NodeSettings {
        lease: LEASE,
        append_timeout: Duration::from_secs(2),
        waits: false,
        seed,
        name: format!("node {seed}").into(),
    };
    let (begun, moment) = (Instant::now(), Moment::now());
    let clock = move || moment + begun.elapsed();
    FleetLog::start(engine.clone(), settings, Arc::new(clock))
}

fn grant(number: usize) -> Revocation {
    let selector = Selector::grant(&number.to_string());
    Revocation::forever(selector, NumericDate::FOREVER)
}

fn covers(index: &Index, number: usize) -> bool {
    index.covers_selector(&grant(number).selector(), None)
}

/// Waits until a condition is met, by the clock of the runtime.
async fn wait_until(mut is_met: impl FnMut() -> bool) {
    let waiting = async {
        while !is_met() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(HOUR, waiting).await.expect("never met");
}

#[tokio::test(start_paused = true)]
async fn record_is_known_here_at_once_and_elsewhere_after_a_hint() {
    let engine = Memory::default();
    let (one, other) = (node(&engine, 1), node(&engine, 2));
    let here = Index::follow(&one).await.unwrap();
    let there = Index::follow(&other).await.unwrap();
    let begun = Instant::now();
    let position = one.append(vec![grant(1)]).await.unwrap();
    assert!(covers(&here, 1));
    wait_until(|| covers(&there, 1)).await;
    // Long before the next regular question.
    assert!(begun.elapsed() < LEASE / 50, "{:?}", begun.elapsed());
    wait_until(|| there.position() == position).await;
}

#[tokio::test(start_paused = true)]
async fn callers_that_are_answered_together_append_together() {
    let engine = Memory::default();
    let log = node(&engine, 1);
    let caller = |caller: usize| {
        let log = log.clone();
        tokio::spawn(async move {
            for turn in 0..5 {
                log.append(vec![grant(turn * 64 + caller)]).await.unwrap();
            }
        })
    };
    for caller in (0..64).map(caller).collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let appends = engine.appends();
    assert!(appends < 10, "{appends}");
}

#[tokio::test(start_paused = true)]
async fn flood_of_appends_does_not_keep_the_driver_from_its_work() {
    let engine = Memory::default();
    let log = node(&engine, 1);
    let mut appends = Vec::new();
    // One in each turn, so that there is always another one.
    let flood = poll_fn(|cx| {
        let mut append = Box::pin(log.append(vec![grant(appends.len())]));
        assert!(append.as_mut().poll(cx).is_pending());
        appends.push(append);
        let is_answered = appends[0].as_mut().poll(cx).is_ready();
        cx.waker().wake_by_ref();
        if is_answered || appends.len() == 10_000 {
            return Poll::Ready(());
        }
        Poll::Pending
    });
    flood.await;
    assert!(appends.len() < 1000, "{}", appends.len());
}

#[tokio::test(start_paused = true)]
async fn new_reader_gets_everything() {
    let engine = Memory::default();
    let log = node(&engine, 1);
    let appends = (0..100).map(|number| log.append(vec![grant(number)]));
    join_all(appends)
        .await
        .into_iter()
        .for_each(|appended| assert!(appended.is_ok()));
    for _ in 0..2 {
        let index = Index::follow(&log).await.unwrap();
        assert!((0..100).all(|number| covers(&index, number)));
        assert_eq!(index.position().sequence, 100);
    }
}

#[tokio::test(start_paused = true)]
async fn reader_does_not_follow_an_engine_that_does_not_answer() {
    let engine = Memory::default();
    engine.is_down.store(true, Ordering::SeqCst);
    let log = node(&engine, 1);
    let index = Index::new();
    let error = index.load(&log).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Unavailable);
    assert!(!index.readiness().is_ready());

    engine.is_down.store(false, Ordering::SeqCst);
    sleep(LEASE).await;
    log.append(vec![grant(1)]).await.unwrap();
    assert!(index.is_empty());
    index.load(&log).await.unwrap();
    assert!(covers(&index, 1) && index.readiness().is_ready());
}

#[tokio::test(start_paused = true)]
async fn appends_fail_at_once_while_the_engine_is_down_and_work_again_without_help() {
    let engine = Memory::default();
    let log = node(&engine, 1);
    let _index = Index::follow(&log).await.unwrap();
    assert!(log.health().is_writable());
    engine.is_down.store(true, Ordering::SeqCst);
    wait_until(|| !log.health().is_writable()).await;
    let begun = Instant::now();
    let error = log.append(vec![grant(1)]).await.unwrap_err();
    assert_eq!(
        (error.kind(), begun.elapsed()),
        (LogErrorKind::Unavailable, Duration::ZERO)
    );
    let response = error.source().unwrap().downcast_ref::<Error>().unwrap();
    assert!(response.retry_delay().unwrap() >= Duration::from_secs(1));
    assert!(
        log.health()
            .cause()
            .unwrap()
            .source()
            .unwrap()
            .to_string()
            .contains("refused")
    );

    engine.is_down.store(false, Ordering::SeqCst);
    wait_until(|| log.health().is_writable()).await;
    log.append(vec![grant(1)]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn log_that_can_only_be_read_is_not_writable_until_an_append_succeeds() {
    let engine = Memory::default();
    let log = node(&engine, 1);
    let _index = Index::follow(&log).await.unwrap();
    engine.is_read_only.store(true, Ordering::SeqCst);
    log.append(vec![grant(1)]).await.unwrap_err();
    for _ in 0..100 {
        sleep(LEASE / 7).await;
        assert!(!log.health().is_writable());
    }
    // No caller tries.
    engine.is_read_only.store(false, Ordering::SeqCst);
    sleep(LEASE).await;
    assert!(log.health().is_writable());
    log.append(vec![grant(1)]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn request_without_an_answer_is_given_up() {
    let engine = Memory::default();
    let log = node(&engine, 1);
    let _index = Index::follow(&log).await.unwrap();
    engine.is_silent.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    let error = log.append(vec![grant(1)]).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Unavailable);
    assert!(
        begun.elapsed() <= Duration::from_millis(2100),
        "{:?}",
        begun.elapsed()
    );
    wait_until(|| !log.health().is_writable()).await;

    engine.is_silent.store(false, Ordering::SeqCst);
    wait_until(|| log.health().is_writable()).await;
    log.append(vec![grant(1)]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn queued_append_is_not_lost_with_the_last_handle_and_the_task_ends() {
    let engine = Memory::default();
    let log = node(&engine, 1);
    drop(log.append(vec![grant(1)]));
    drop(log);
    let other = node(&engine, 2);
    let index = Index::follow(&other).await.unwrap();
    wait_until(|| covers(&index, 1)).await;
    // A reader would keep the task.
    drop((other, index));
    sleep(HOUR).await;
    let polls = engine.polls.load(Ordering::SeqCst);
    sleep(HOUR).await;
    assert_eq!(engine.polls.load(Ordering::SeqCst), polls);
}

#[tokio::test(start_paused = true)]
async fn index_is_followed_without_a_handle_of_the_log() {
    let engine = Memory::default();
    let index = Index::follow(&node(&engine, 1)).await.unwrap();
    sleep(HOUR).await;
    let other = node(&engine, 2);
    other.append(vec![grant(1)]).await.unwrap();
    wait_until(|| covers(&index, 1)).await;
}

#[test]
fn log_whose_runtime_has_ended_is_closed() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let log = runtime.block_on(async { node(&Memory::default(), 1) });
    drop(runtime);
    let error = futures::executor::block_on(log.append(vec![grant(1)])).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Closed);
}
