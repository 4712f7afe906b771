use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use allocation_counter::measure;
use futures::task::noop_waker;
use proptest::prelude::*;
use tokio_test::{assert_pending, assert_ready_eq, task};

use super::*;
use crate::log::SelectorClass;

const REVOKED: End = End::Revoked(Some(SelectorClass::Grant));

fn at(seconds: u64) -> NumericDate {
    NumericDate::new(seconds)
}

/// Different numbers have tags that share few bits, as the tags of a keyed hash do.
fn tag(number: u64) -> Tag {
    let low = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let high = low.rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = |half: u64, by: u32| u32::try_from(half >> by & 0xffff_ffff).unwrap();
    let words = [word(low, 0), word(low, 32), word(high, 0), word(high, 32)];
    Tag(words).of(SelectorClass::Grant)
}

fn grant(watchers: &Arc<Watchers>, number: u64) -> Watch {
    watchers.watch(
        [tag(number).of(SelectorClass::Grant)].into_iter(),
        Some(at(10)),
        None,
    )
}

fn revoke(watchers: &Watchers, number: u64) {
    watchers.revoked(tag(number).of(SelectorClass::Grant), NumericDate::FOREVER);
}

/// There are no watches, and nothing is left of earlier ones.
fn assert_empty(watchers: &Watchers) {
    assert!(watchers.is_empty());
    assert_eq!(watchers.len(), 0);
    for shard in &watchers.shards {
        assert_eq!(lock(shard).awaited(), 0);
    }
}

/// A task that waits for `watch`.
fn waiting(mut watch: Watch) -> task::Spawn<impl Future<Output = End>> {
    task::spawn(std::future::poll_fn(move |cx| watch.poll_ended(cx)))
}

#[test]
fn a_record_wakes_the_watches_that_it_covers_and_no_others() {
    let watchers = Arc::default();
    let (mut one, mut other) = (waiting(grant(&watchers, 1)), waiting(grant(&watchers, 2)));
    assert_pending!(one.poll());
    assert_pending!(other.poll());

    revoke(&watchers, 1);

    assert!(one.is_woken());
    assert!(!other.is_woken());
    assert_ready_eq!(one.poll(), REVOKED);
    assert_pending!(other.poll());
}

#[test]
fn a_session_with_the_same_name_is_another_selector() {
    let watchers = Arc::default();
    let watch = grant(&watchers, 1);
    watchers.revoked(tag(1).of(SelectorClass::Session), NumericDate::FOREVER);
    assert_eq!(watch.ended(), None);
}

#[test]
fn a_watermark_wakes_the_watches_of_earlier_tokens() {
    let watchers: Arc<Watchers> = Arc::default();
    let selectors = || [tag(1).of(SelectorClass::Subject)].into_iter();
    let before = watchers.watch(selectors(), Some(at(10)), None);
    let after = watchers.watch(selectors(), Some(at(11)), None);
    let unknown = watchers.watch(selectors(), None, None);

    watchers.revoked(tag(1).of(SelectorClass::Subject), at(10));

    let revoked = Some(End::Revoked(Some(SelectorClass::Subject)));
    assert_eq!(before.ended(), revoked);
    assert_eq!(after.ended(), None);
    assert_eq!(unknown.ended(), revoked);
}

#[test]
fn an_expired_watch_is_woken_in_that_second_and_once() {
    let watchers: Arc<Watchers> = Arc::default();
    let expiring = |exp| watchers.watch([].into_iter(), None, Some(at(exp)));
    let (mut soon, later, again) = (waiting(expiring(10)), expiring(11), expiring(10));
    assert_pending!(soon.poll());

    watchers.expired(at(9));
    assert!(!soon.is_woken());
    watchers.expired(at(10));
    assert!(soon.is_woken());
    assert_ready_eq!(soon.poll(), End::Expired);
    assert_eq!(again.ended(), Some(End::Expired));
    assert_eq!(later.ended(), None);

    // A new watch of the same second, while the watches that ended are still there.
    let late = expiring(10);
    drop((soon, again));
    assert_eq!(late.ended(), None);
    watchers.expired(at(10));
    assert_eq!(late.ended(), Some(End::Expired));

    drop((later, late));
    assert_empty(&watchers);
}

#[test]
fn each_clone_has_a_waker_of_its_own() {
    let watchers = Arc::default();
    let watch = grant(&watchers, 1);
    let mut tasks: Vec<_> = (0..3).map(|_| waiting(watch.clone())).collect();
    drop(watch);
    for task in &mut tasks {
        assert_pending!(task.poll());
    }
    // The next clone reuses its slot.
    drop(tasks.remove(1));
    tasks.push(waiting(grant(&watchers, 1)));
    for task in &mut tasks {
        assert_pending!(task.poll());
    }

    revoke(&watchers, 1);
    assert!(tasks.iter().all(task::Spawn::is_woken));
    drop(tasks);
    assert_empty(&watchers);
}

#[test]
fn the_first_end_stays() {
    let watchers = Arc::default();
    let watch = grant(&watchers, 1);
    watch.end(End::Expired);
    revoke(&watchers, 1);
    assert_eq!(watch.ended(), Some(End::Expired));
}

#[test]
fn more_selectors_than_a_seat_has_are_all_watched() {
    for revoked in 0..40 {
        let watchers: Arc<Watchers> = Arc::default();
        let selectors = (0..40).map(|number| tag(number).of(SelectorClass::Key));
        let watch = watchers.watch(selectors, None, Some(at(5)));
        watchers.revoked(tag(revoked).of(SelectorClass::Key), at(0));
        assert!(watch.ended().is_some(), "{revoked}");
        drop(watch);
        assert_empty(&watchers);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Watch { names: Vec<u64>, iat: u64, exp: u64 },
    Drop(usize),
    Revoke { name: u64, not_before: u64 },
    Expire(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let names = prop::collection::vec(0..30_u64, 0..12);
    let step = prop_oneof![
        4 => (names, 0..20_u64, 0..40_u64).prop_map(|(names, iat, exp)| Step::Watch { names, iat, exp }),
        3 => any::<usize>().prop_map(Step::Drop),
        1 => (0..30_u64, 0..20_u64).prop_map(|(name, not_before)| Step::Revoke { name, not_before }),
        1 => (0..40_u64).prop_map(Step::Expire),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    /// Compares the lists with a linear search.
    #[test]
    fn a_linear_search_finds_the_same_watches(steps in steps()) {
        let watchers: Arc<Watchers> = Arc::default();
        let mut model: Vec<(Watch, Vec<u64>, u64, u64, bool)> = Vec::new();
        for step in steps {
            match step {
                Step::Watch { names, iat, exp } => {
                    let selectors = names.iter().map(|name| tag(*name).of(SelectorClass::Grant));
                    let watch = watchers.watch(selectors, Some(at(iat)), Some(at(exp)));
                    model.push((watch, names, iat, exp, false));
                }
                Step::Drop(which) if !model.is_empty() => {
                    model.swap_remove(which % model.len());
                }
                Step::Drop(_) => {}
                Step::Revoke { name, not_before } => {
                    watchers.revoked(tag(name).of(SelectorClass::Grant), at(not_before));
                    for (_, names, iat, _, ended) in &mut model {
                        *ended |= names.contains(&name) && *iat <= not_before;
                    }
                }
                Step::Expire(now) => {
                    watchers.expired(at(now));
                    for (.., exp, ended) in &mut model {
                        *ended |= *exp <= now;
                    }
                }
            }
            prop_assert_eq!(watchers.len(), model.len());
            for (watch, .., ended) in &model {
                prop_assert_eq!(watch.ended().is_some(), *ended);
            }
        }
        drop(model);
        assert_empty(&watchers);
    }
}

/// A flag stands for the index. The thread that watches checks it again afterwards. The thread that
/// revokes sets it first, and does nothing more if there are no watches.
#[test]
fn no_record_is_missed_between_watching_and_checking_the_index() {
    for _ in 0..20_000 {
        let watchers: Arc<Watchers> = Arc::default();
        let (index, start) = (AtomicBool::new(false), Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                index.store(true, Ordering::Relaxed);
                if !watchers.is_empty() {
                    revoke(&watchers, 1);
                }
            });
            start.wait();
            let watch = grant(&watchers, 1);
            if index.load(Ordering::Relaxed) {
                watch.end(REVOKED);
            }
            let mut watch = watch;
            futures::executor::block_on(std::future::poll_fn(|cx| watch.poll_ended(cx)));
        });
        assert_empty(&watchers);
    }
}

#[test]
fn watches_that_are_dropped_while_they_end_leave_nothing() {
    let watchers: Arc<Watchers> = Arc::default();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let threads = [1, 2].map(|seed| {
            let watchers = &watchers;
            scope.spawn(move || {
                let mut cx = Context::from_waker(Waker::noop());
                let mut kept = Vec::new();
                for round in 0..30_000_u64 {
                    let selectors = [
                        tag(round * seed % 50).of(SelectorClass::Grant),
                        tag(0).of(SelectorClass::Client),
                    ];
                    let exp = Some(at(round % 64));
                    let mut watch = watchers.watch(selectors.into_iter(), None, exp);
                    let _ = watch.poll_ended(&mut cx);
                    kept.push(watch.clone());
                    if kept.len() > 100 {
                        kept.swap_remove(usize::try_from(round % 100).unwrap_or_default());
                    }
                }
            })
        });
        scope.spawn(|| {
            let mut round = 0;
            while !done.load(Ordering::Relaxed) {
                round += 1;
                revoke(&watchers, round % 50);
                watchers.expired(at(round % 64));
                watchers.revoked(tag(0).of(SelectorClass::Client), NumericDate::FOREVER);
            }
        });
        let panicked = threads.map(|thread| thread.join().is_err());
        done.store(true, Ordering::Relaxed);
        assert_eq!(panicked, [false; 2]);
    });
    assert_empty(&watchers);
}

/// Eight selectors, of which many watches share three (client, key, issuer).
fn of_eight(watchers: &Arc<Watchers>, number: u64) -> Watch {
    let names = [
        number * 5,
        number * 5 + 1,
        number * 5 + 2,
        number * 5 + 3,
        number * 5 + 4,
        u64::MAX / 2 + number % 3,
        u64::MAX / 3,
        u64::MAX / 4,
    ];
    let classes = SelectorClass::ALL.iter();
    let selectors = classes.zip(names).map(|(class, name)| tag(name).of(*class));
    watchers.watch(selectors, Some(at(1)), Some(at(1_000_000 + number)))
}

#[test]
fn an_idle_watch_takes_less_than_512_bytes() {
    const WATCHES: u64 = 100_000;
    let mut kept = Vec::with_capacity(100_000);
    let watchers = Arc::default();
    let waker = noop_waker();
    let allocated = measure(|| {
        for number in 0..WATCHES {
            let mut watch = of_eight(&watchers, number);
            assert_eq!(
                watch.poll_ended(&mut Context::from_waker(&waker)),
                Poll::Pending
            );
            kept.push(watch);
        }
    });
    let each = u64::try_from(allocated.bytes_current).unwrap_or(u64::MAX) / WATCHES;
    println!("{each} bytes for each of {WATCHES} watches");
    assert!((200..512).contains(&each), "{each} bytes");

    // All watches have one client. Removing them in quadratic time would take minutes.
    let gone = measure(|| kept.clear());
    assert_empty(&watchers);
    let left = allocated.bytes_current + gone.bytes_current;
    assert!(left.abs() < 1024, "{left} bytes are left");
}

#[test]
fn every_end_is_returned_as_it_was_set() {
    let classes = SelectorClass::ALL.iter().copied().map(Some);
    let ends = classes.chain([None]).map(End::Revoked);
    for end in ends.chain([End::Expired]) {
        let watch = grant(&Arc::default(), 1);
        watch.end(end);
        assert_eq!(watch.ended(), Some(end));
    }
}
