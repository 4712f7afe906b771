//! Turns in the queue, step by step.

use std::net::Ipv4Addr;

use futures::{FutureExt as _, future::BoxFuture};
use proptest::{collection::vec, prelude::*};

use super::*;

/// A verification in the queue, and its result so far.
enum Waiter {
    Waits(BoxFuture<'static, Result<Permit, Full>>),
    Has(Permit),
    Refused,
}

impl Waiter {
    fn join(fair_queue: &Arc<FairQueue>, origin: Origin) -> Self {
        let fair_queue = Arc::clone(fair_queue);
        Self::Waits(async move { fair_queue.permit(origin).await }.boxed()).look()
    }

    fn look(self) -> Self {
        match self {
            Self::Waits(mut permit) => match (&mut permit).now_or_never() {
                None => Self::Waits(permit),
                Some(Ok(permit)) => Self::Has(permit),
                Some(Err(Full)) => Self::Refused,
            },
            other => other,
        }
    }

    fn has_one_of(&self, fair_queue: &Arc<FairQueue>) -> bool {
        matches!(self, Self::Has(permit) if Arc::ptr_eq(&permit.fair_queue, fair_queue))
    }

    fn state(&self) -> char {
        match self {
            Self::Waits(_) => 'w',
            Self::Has(_) => 'h',
            Self::Refused => 'r',
        }
    }
}

fn join(fair_queue: &Arc<FairQueue>, number: u8) -> Waiter {
    Waiter::join(fair_queue, Some(Ipv4Addr::new(192, 0, 2, number).into()))
}

fn many(fair_queue: &Arc<FairQueue>, number: u8, waiters: usize) -> Vec<Waiter> {
    (0..waiters).map(|_| join(fair_queue, number)).collect()
}

fn look(waiters: &mut Vec<Waiter>) -> String {
    *waiters = waiters.drain(..).map(Waiter::look).collect();
    waiters.iter().map(Waiter::state).collect()
}

#[test]
fn beyond_permits_and_queue_requests_are_refused() {
    let fair_queue = FairQueue::new(2, 3);
    let mut waiters = many(&fair_queue, 1, 6);
    assert_eq!(look(&mut waiters), "hhwwwr");
    assert_eq!(fair_queue.len(), (2, 3));

    // In order, one permit at a time.
    drop(waiters.remove(0));
    assert_eq!(look(&mut waiters), "hhwwr");
    drop(waiters.remove(1));
    assert_eq!(look(&mut waiters), "hhwr");
    drop(waiters);
    assert_eq!(fair_queue.len(), (0, 0));
}

#[test]
fn new_address_waits_for_one_verification_only() {
    let fair_queue = FairQueue::new(1, 64);
    let mut guessers = many(&fair_queue, 1, 40);
    let mut client = vec![join(&fair_queue, 2)];
    assert_eq!(look(&mut client), "w");

    // Only the one that came before the client.
    drop(guessers.remove(0));
    assert_eq!(look(&mut client), "w");
    look(&mut guessers);
    drop(guessers.remove(0));
    assert_eq!(look(&mut client), "h");
}

#[test]
fn full_queue_takes_a_place_from_the_address_that_has_most() {
    let fair_queue = FairQueue::new(1, 4);
    let (mut flood, mut other) = (many(&fair_queue, 1, 5), many(&fair_queue, 2, 1));
    assert_eq!(
        (look(&mut flood), look(&mut other)),
        ("hwwwr".into(), "w".into())
    );
    other.push(join(&fair_queue, 2));
    assert_eq!(
        (look(&mut flood), look(&mut other)),
        ("hwwrr".into(), "ww".into())
    );
    // With as many requests as the flood, it gets no more than that.
    other.push(join(&fair_queue, 2));
    assert_eq!(
        (look(&mut flood), look(&mut other)),
        ("hwwrr".into(), "wwr".into())
    );
}

#[test]
fn queue_with_one_place_for_each_address_is_full() {
    let fair_queue = FairQueue::new(1, 3);
    let mut waiters: Vec<_> = (1..=5).map(|number| join(&fair_queue, number)).collect();
    assert_eq!(look(&mut waiters), "hwwwr");
}

#[test]
fn requests_without_an_address_count_as_one_address() {
    let fair_queue = FairQueue::new(1, 4);
    let mut unknown: Vec<_> = (0..6).map(|_| Waiter::join(&fair_queue, None)).collect();
    assert_eq!(look(&mut unknown), "hwwwwr");
    let mut known = vec![join(&fair_queue, 1)];
    assert_eq!(
        (look(&mut unknown), look(&mut known)),
        ("hwwwrr".into(), "w".into())
    );
}

#[test]
fn dropped_future_gives_up_its_place() {
    let fair_queue = FairQueue::new(1, 2);
    let mut waiters = many(&fair_queue, 1, 3);
    assert_eq!(look(&mut waiters), "hww");
    drop(waiters.remove(1));
    waiters.push(join(&fair_queue, 1));
    assert_eq!(look(&mut waiters), "hww");
    // An abandoned place is skipped.
    drop(waiters.remove(1));
    drop(waiters.remove(0));
    assert_eq!(look(&mut waiters), "h");
}

#[test]
fn permit_of_a_dropped_future_goes_to_the_next() {
    let fair_queue = FairQueue::new(1, 2);
    let mut waiters = many(&fair_queue, 1, 3);
    assert_eq!(look(&mut waiters), "hww");
    // The second one has its permit, and is dropped before it was polled.
    drop(waiters.remove(0));
    drop(waiters.remove(0));
    assert_eq!(look(&mut waiters), "h");
    drop(waiters);
    assert_eq!(fair_queue.len(), (0, 0));
}

#[test]
fn queue_of_length_zero_refuses_at_once() {
    let fair_queue = FairQueue::new(1, 0);
    let mut waiters = vec![
        join(&fair_queue, 1),
        join(&fair_queue, 1),
        join(&fair_queue, 2),
    ];
    assert_eq!(look(&mut waiters), "hrr");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_permit_is_lost_and_no_limit_is_exceeded(
        permits in 1_usize..4,
        queue in 0_usize..6,
        steps in vec((0_u8..3, 0_u8..4, 0_usize..12), 1..80),
    ) {
        let fair_queue = FairQueue::new(permits, queue);
        let mut waiters: Vec<Waiter> = Vec::new();
        for (step, number, index) in steps {
            match step {
                0 | 1 => waiters.push(join(&fair_queue, number)),
                _ if waiters.is_empty() => {}
                _ => drop(waiters.remove(index % waiters.len())),
            }
            // Sometimes before those with a permit were polled.
            if index % 2 == 0 {
                look(&mut waiters);
            }
            let (running, waiting) = fair_queue.len();
            prop_assert!(running <= permits && waiting <= queue);
            prop_assert!(waiting == 0 || running == permits);
        }
        look(&mut waiters);
        let has = waiters.iter().filter(|waiter| waiter.has_one_of(&fair_queue)).count();
        prop_assert_eq!(fair_queue.len().0, has);
        drop(waiters);
        prop_assert_eq!(fair_queue.len(), (0, 0));
    }
}
