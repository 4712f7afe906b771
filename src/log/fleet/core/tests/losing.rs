//! What does a node do if the log lost its end?

use std::slice::from_ref;

use super::*;

pub(super) fn lost(incarnation: u64, sequence: u64) -> Event {
    Event::Polled(Ok(Page {
        history: History::Other,
        ..page(incarnation, sequence)
    }))
}

pub(super) fn polled(incarnation: u64, sequence: u64) -> Event {
    Event::Polled(Ok(page(incarnation, sequence)))
}

/// The log has a record that was given back.
pub(super) fn found(incarnation: u64, number: u64) -> Event {
    Event::Polled(Ok(Page {
        records: vec![record(number)],
        ..page(incarnation, 7)
    }))
}

/// The time comes for a poll.
pub(super) fn poll(node: &mut Node) {
    let actions = node.after(LEASE / 5, Event::Timer);
    assert_eq!(polls(&actions).len(), 1);
}

/// The log changes its incarnation to the second one, and loses nothing.
pub(super) fn change(node: &mut Node) {
    poll(node);
    node.on(polled(2, 1));
    assert_eq!(completes(&node.on(polled(2, 1))), [node.now]);
}

#[test]
fn new_incarnation_makes_nobody_complete_before_the_node_has_said_that_it_healed() {
    let mut node = Node::complete();
    poll(&mut node);
    let actions = node.on(polled(2, 5));
    assert_eq!(read(&actions), [record(5)]);
    assert!(completes(&actions).is_empty());
    // Nothing before the cursor was lost, so reading goes on from there.
    let [ask] = asks(&actions)[..] else {
        panic!("{actions:?}");
    };
    assert_eq!(
        (ask.after, ask.report.as_ref().unwrap().healed),
        (at(5), Incarnation(2))
    );
    assert_eq!(completes(&node.on(polled(2, 6))), [node.now]);
}

#[test]
fn nobody_is_complete_while_another_node_has_not_healed() {
    let mut node = Node::complete();
    poll(&mut node);
    let mut held_up = page(1, 2);
    held_up.membership.barrier = true;
    assert!(completes(&node.on(Event::Polled(Ok(held_up)))).is_empty());
    poll(&mut node);
    assert_eq!(completes(&node.on(polled(1, 2))), [node.now]);
}

#[test]
fn node_that_was_struck_out_is_listed_again_before_it_is_complete() {
    let mut node = Node::complete();
    poll(&mut node);
    let actions = node.on(Event::Polled(Ok(unlisted(page(1, 2)))));
    assert!(completes(&actions).is_empty());
    assert_eq!(polls(&actions), [at(2)]);
    assert_eq!(completes(&node.on(polled(1, 2))), [node.now]);
}

#[test]
fn loss_within_an_incarnation_begins_another_one() {
    let mut node = Node::complete();
    poll(&mut node);
    let actions = node.on(lost(1, 3));
    assert_eq!(read(&actions), [record(3)]);
    assert!(completes(&actions).is_empty() && polls(&actions).is_empty());
    assert!(
        matches!(actions.last(), Some(Action::Begin(Incarnation(1)))),
        "{actions:?}"
    );
    assert!(polls(&node.after(LEASE, Event::Hint)).is_empty());
    assert_eq!(polls(&node.on(Event::Begun(Ok(())))), [at(1)]);
    // The second incarnation is read from the last cursor that it has.
    let actions = node.on(lost(2, 3));
    assert!(completes(&actions).is_empty());
    // It lacks the first record.
    assert_eq!(sent(&actions).unwrap().1, [1]);
    assert!(polls(&actions).is_empty());
    assert_eq!(polls(&node.on(committed(2, 1))), [at(3)]);
    assert_eq!(completes(&node.on(found(2, 1))), [node.now]);
}

#[test]
fn cursor_that_was_swept_is_no_loss() {
    let mut node = Node::complete();
    poll(&mut node);
    let swept = Page {
        history: History::Swept,
        more: true,
        ..page(1, 4)
    };
    let actions = node.on(Event::Polled(Ok(swept)));
    assert!(completes(&actions).is_empty());
    // The page was the first one of the log, so reading goes on behind it.
    assert_eq!(polls(&actions), [at(4)]);
    assert!(completes(&node.on(polled(1, 9))).is_empty());
    assert_eq!(polls(&node.on(committed(1, 1))), [at(9)]);
    assert_eq!(completes(&node.on(polled(1, 9))), [node.now]);
}

#[test]
fn node_gives_back_what_the_log_lost_before_it_is_complete() {
    let mut node = Node::complete();
    node.append(1, 2);
    node.on(committed(1, 1));
    // The records were after the cursor, and the log has lost them.
    poll(&mut node);
    let actions = node.on(polled(2, 1));
    let given = actions.iter().find_map(|action| match action {
        Action::Append(append) if append.as_given => Some(&append.batches[0].records),
        _ => None,
    });
    let given = given.expect("they are given back");
    assert_eq!(given.len(), 2);
    assert!(
        [10_000, 10_001]
            .map(record)
            .iter()
            .all(|lost| given.contains(lost))
    );
    let healed = |actions: &[Action]| {
        let [ask] = asks(actions)[..] else {
            panic!("{actions:?}");
        };
        ask.report.as_ref().unwrap().healed.0
    };
    // The commit says when to poll, but the node still reports.
    assert!(polls(&actions).is_empty());
    assert_eq!(node.wait(), Some(LEASE / 5));
    assert_ne!(healed(&node.sleep()), 2);
    assert!(completes(&node.on(polled(2, 1))).is_empty());
    node.on(Event::Committed(Err(unavailable())));
    while sent(&node.sleep()).is_none() {}
    assert_eq!(healed(&node.on(committed(2, 1))), 2);
    assert_eq!(completes(&node.on(polled(2, 3))), [node.now]);
}

#[test]
fn node_goes_back_until_the_histories_meet() {
    let mut node = Node::new();
    for sequence in 1..100 {
        node.on(polled(1, sequence));
        node.on(Event::Hint);
    }
    let mut actions = node.on(lost(2, 9));
    let mut asked = Vec::new();
    while let [after] = polls(&actions)[..] {
        if after.sequence < 40 {
            break;
        }
        asked.push(after.sequence);
        actions = node.on(lost(2, 9));
    }
    assert!((1..10).contains(&asked.len()), "{asked:?}");
    let [after] = polls(&actions)[..] else {
        panic!("{actions:?}");
    };
    assert!((1..40).contains(&after.sequence), "{after:?}");
    assert!(polls(&node.on(polled(2, 50))).is_empty());
    assert_eq!(polls(&node.on(committed(2, 1))), [at(50)]);
    assert_eq!(completes(&node.on(polled(2, 50))), [node.now]);
}

#[test]
fn append_from_before_a_loss_is_sent_again() {
    let mut node = Node::complete();
    node.append(1, 1);
    poll(&mut node);
    node.on(lost(1, 1));
    node.on(Event::Begun(Ok(())));
    assert!(answers(&node.on(committed(1, 1))).is_empty());
    while sent(&node.sleep()).is_none() {}
    assert_eq!(answers(&node.on(committed(1, 1))).len(), 1);
}

#[test]
fn node_that_waits_for_others_asks_soon_and_then_rarely() {
    let mut node = Node::complete();
    poll(&mut node);
    let mut held_up = page(1, 2);
    held_up.membership.barrier = true;
    let mut waits = Vec::new();
    for _ in 0..20 {
        node.on(Event::Polled(Ok(held_up.clone())));
        waits.push(node.wait().unwrap());
        assert_eq!(polls(&node.sleep()).len(), 1);
    }
    assert_eq!(waits[0], millis(5));
    assert!(
        waits
            .windows(2)
            .all(|two| two[0] <= two[1] && two[1] <= two[0] * 2)
    );
    assert_eq!(waits[19], LEASE / 5);
    assert_eq!(completes(&node.on(polled(1, 2))), [node.now]);
    assert_eq!(node.wait(), Some(LEASE / 5));
}

/// The first page of the second incarnation, with its members, and those after it.
fn healed(node: &mut Node, members: &[Member]) -> Vec<Action> {
    let mut page = page(2, 1);
    page.membership.members = members.to_vec();
    poll(node);
    node.on(Event::Polled(Ok(page.clone())));
    node.on(Event::Polled(Ok(page)))
}

#[test]
fn node_waits_for_a_member_that_a_failover_has_forgotten() {
    let mut node = Node::complete();
    poll(&mut node);
    let mut known = page(1, 1);
    known.membership.members = vec![member(7, 1, 1, 1), member(8, 1, 1, 1)];
    node.on(Event::Polled(Ok(known)));
    let begun = node.now;
    let other = member(8, 2, 1, 2);
    assert!(completes(&healed(&mut node, from_ref(&other))).is_empty());
    // It comes back.
    let mut back = node.core.clone();
    let mut page = page(2, 1);
    page.membership.members = vec![member(7, 2, 1, 2), other.clone()];
    back.on_event(node.now + LEASE / 5, Event::Timer);
    back.on_event(node.now + LEASE / 5, Event::Polled(Ok(page.clone())));
    let now = node.now + LEASE / 2;
    back.on_event(now, Event::Timer);
    assert_eq!(
        completes(&back.on_event(now, Event::Polled(Ok(page)))),
        [now]
    );
    // It does not, and has no lease after a while.
    while completes(&healed(&mut node, from_ref(&other))).is_empty() {
        assert!(node.now.since(begun) < LEASE * 2);
    }
    assert!(node.now.since(begun) >= LEASE);
}
