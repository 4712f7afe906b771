//! Turns, by hand.

use std::net::Ipv4Addr;

use futures::{FutureExt as _, future::BoxFuture};
use proptest::{collection::vec, prelude::*};

use super::*;

/// Somebody who has joined the line, and what has come of it so far.
enum Guest {
    Waits(BoxFuture<'static, Result<Permit, Full>>),
    Has(Permit),
    Refused,
}

impl Guest {
    fn join(line: &Arc<Line>, origin: Origin) -> Self {
        let line = Arc::clone(line);
        Self::Waits(async move { line.permit(origin).await }.boxed()).look()
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

    fn has_one_of(&self, line: &Arc<Line>) -> bool {
        matches!(self, Self::Has(permit) if Arc::ptr_eq(&permit.line, line))
    }

    fn state(&self) -> char {
        match self {
            Self::Waits(_) => 'w',
            Self::Has(_) => 'h',
            Self::Refused => 'r',
        }
    }
}

fn join(line: &Arc<Line>, number: u8) -> Guest {
    Guest::join(line, Some(Ipv4Addr::new(192, 0, 2, number).into()))
}

fn many(line: &Arc<Line>, number: u8, guests: usize) -> Vec<Guest> {
    (0..guests).map(|_| join(line, number)).collect()
}

fn look(guests: &mut Vec<Guest>) -> String {
    *guests = guests.drain(..).map(Guest::look).collect();
    guests.iter().map(Guest::state).collect()
}

#[test]
fn permits_then_queue_then_no_more() {
    let line = Line::new(2, 3);
    let mut guests = many(&line, 1, 6);
    assert_eq!(look(&mut guests), "hhwwwr");
    assert_eq!(line.len(), (2, 3));

    // In their order, one permit at a time.
    drop(guests.remove(0));
    assert_eq!(look(&mut guests), "hhwwr");
    drop(guests.remove(1));
    assert_eq!(look(&mut guests), "hhwr");
    drop(guests);
    assert_eq!(line.len(), (0, 0));
}

#[test]
fn newcomer_of_another_address_waits_for_one_verification_only() {
    let line = Line::new(1, 64);
    let mut guessers = many(&line, 1, 40);
    let mut client = vec![join(&line, 2)];
    assert_eq!(look(&mut client), "w");

    // The one that had come before the client, and no other.
    drop(guessers.remove(0));
    assert_eq!(look(&mut client), "w");
    look(&mut guessers);
    drop(guessers.remove(0));
    assert_eq!(look(&mut client), "h");
}

#[test]
fn full_queue_takes_a_place_from_the_address_that_has_most() {
    let line = Line::new(1, 4);
    let (mut flood, mut other) = (many(&line, 1, 5), many(&line, 2, 1));
    assert_eq!(
        (look(&mut flood), look(&mut other)),
        ("hwwwr".into(), "w".into())
    );
    other.push(join(&line, 2));
    assert_eq!(
        (look(&mut flood), look(&mut other)),
        ("hwwrr".into(), "ww".into())
    );
    // With as much as the flood has, it gets no more.
    other.push(join(&line, 2));
    assert_eq!(
        (look(&mut flood), look(&mut other)),
        ("hwwrr".into(), "wwr".into())
    );
}

#[test]
fn as_many_addresses_as_places_leave_none() {
    let line = Line::new(1, 3);
    let mut guests: Vec<_> = (1..=5).map(|number| join(&line, number)).collect();
    assert_eq!(look(&mut guests), "hwwwr");
}

#[test]
fn without_an_address_all_are_of_one() {
    let line = Line::new(1, 4);
    let mut unknown: Vec<_> = (0..6).map(|_| Guest::join(&line, None)).collect();
    assert_eq!(look(&mut unknown), "hwwwwr");
    let mut known = vec![join(&line, 1)];
    assert_eq!(
        (look(&mut unknown), look(&mut known)),
        ("hwwwrr".into(), "w".into())
    );
}

#[test]
fn whoever_leaves_gives_up_the_place() {
    let line = Line::new(1, 2);
    let mut guests = many(&line, 1, 3);
    assert_eq!(look(&mut guests), "hww");
    drop(guests.remove(1));
    guests.push(join(&line, 1));
    assert_eq!(look(&mut guests), "hww");
    // A place that was left is not called.
    drop(guests.remove(1));
    drop(guests.remove(0));
    assert_eq!(look(&mut guests), "h");
}

#[test]
fn permit_that_nobody_takes_up_goes_to_the_next() {
    let line = Line::new(1, 2);
    let mut guests = many(&line, 1, 3);
    assert_eq!(look(&mut guests), "hww");
    // The second has been called, and goes without having looked.
    drop(guests.remove(0));
    drop(guests.remove(0));
    assert_eq!(look(&mut guests), "h");
    drop(guests);
    assert_eq!(line.len(), (0, 0));
}

#[test]
fn without_a_queue_nobody_waits() {
    let line = Line::new(1, 0);
    let mut guests = vec![join(&line, 1), join(&line, 1), join(&line, 2)];
    assert_eq!(look(&mut guests), "hrr");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_happens_no_permit_is_lost_and_no_bound_is_passed(
        permits in 1_usize..4,
        queue in 0_usize..6,
        steps in vec((0_u8..3, 0_u8..4, 0_usize..12), 1..80),
    ) {
        let line = Line::new(permits, queue);
        let mut guests: Vec<Guest> = Vec::new();
        for (step, number, index) in steps {
            match step {
                0 | 1 => guests.push(join(&line, number)),
                _ if guests.is_empty() => {}
                _ => drop(guests.remove(index % guests.len())),
            }
            // Sometimes those who were called have not looked yet.
            if index % 2 == 0 {
                look(&mut guests);
            }
            let (running, waiting) = line.len();
            prop_assert!(running <= permits && waiting <= queue);
            prop_assert!(waiting == 0 || running == permits);
        }
        look(&mut guests);
        let has = guests.iter().filter(|guest| guest.has_one_of(&line)).count();
        prop_assert_eq!(line.len().0, has);
        drop(guests);
        prop_assert_eq!(line.len(), (0, 0));
    }
}
