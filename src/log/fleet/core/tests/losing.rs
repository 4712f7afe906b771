//! What does a node do if the log lost its end?

use super::*;

fn lost(incarnation: u64, sequence: u64) -> Event {
    Event::Polled(Ok(Page {
        same_history: false,
        ..page(incarnation, sequence)
    }))
}

fn polled(incarnation: u64, sequence: u64) -> Event {
    Event::Polled(Ok(page(incarnation, sequence)))
}

/// The time comes for a poll.
fn poll(node: &mut Node) {
    let actions = node.after(LEASE / 5, Event::Timer);
    assert_eq!(polls(&actions).len(), 1);
}

#[test]
fn new_incarnation_is_read_from_the_beginning() {
    let mut node = Node::complete();
    poll(&mut node);
    let actions = node.on(polled(2, 5));
    // What came is kept, but may not be all.
    assert_eq!(read(&actions), [record(5)]);
    assert!(completes(&actions).is_empty());
    assert_eq!(polls(&actions), [at(0)]);
    assert_eq!(completes(&node.on(polled(2, 6))), [node.now]);
}

#[test]
fn incarnation_can_change_while_it_is_read() {
    let mut node = Node::new();
    let first = Page {
        more: true,
        ..page(1, 1)
    };
    assert_eq!(polls(&node.on(Event::Polled(Ok(first)))), [at(1)]);
    let actions = node.on(polled(2, 2));
    assert!(completes(&actions).is_empty());
    assert_eq!(polls(&actions), [at(0)]);
}

#[test]
fn everything_at_once_is_complete_in_a_new_incarnation() {
    let mut node = Node::complete();
    node.on(Event::Follow);
    assert_eq!(completes(&node.on(polled(2, 2))), [node.now]);
}

#[test]
fn lost_history_makes_nobody_complete() {
    for incarnation in [1, 2] {
        let mut node = Node::complete();
        poll(&mut node);
        let actions = node.on(lost(incarnation, 3));
        assert_eq!(read(&actions), [record(3)]);
        assert!(completes(&actions).is_empty());
        // The page was the first one of the log, so reading goes on behind it.
        assert_eq!(polls(&actions), [at(3)]);
        assert_eq!(completes(&node.on(polled(incarnation, 3))), [node.now]);
    }
}

#[test]
fn old_engine_makes_nobody_complete() {
    let mut node = Node::complete();
    poll(&mut node);
    node.on(polled(2, 1));
    node.on(polled(2, 1));
    poll(&mut node);
    let actions = node.on(polled(1, 8));
    assert_eq!(read(&actions), [record(8)]);
    assert!(completes(&actions).is_empty());
    // As after a failure.
    assert!(node.wait() <= Some(millis(100)));
    assert_eq!(polls(&node.sleep()), [at(1)]);
    assert!(node.core.status(node.now).failing.is_some());
    assert_eq!(completes(&node.on(polled(2, 9))), [node.now]);
}

#[test]
fn old_engine_never_counts_again() {
    let mut node = Node::complete();
    poll(&mut node);
    node.on(polled(2, 1));
    node.on(polled(2, 1));
    // The engine of the second incarnation does not answer any more.
    let begun = node.now;
    while node.now.since(begun) < LEASE * 10 {
        assert!(completes(&node.on(polled(1, 1))).is_empty());
        if node.wait().is_some() {
            node.sleep();
        } else {
            node.now = node.now + millis(100);
        }
    }
    assert!(node.core.status(node.now).failing.is_some());
    assert_eq!(completes(&node.on(polled(2, 1))).len(), 1);
}

#[test]
fn commit_in_a_new_incarnation_begins_again() {
    let mut node = Node::complete();
    node.append(1, 1);
    poll(&mut node);
    let actions = node.on(committed(2, 1));
    assert!(matches!(answers(&actions)[..], [(1, Ok(Some(_)))]));
    // The answer to a poll from before says nothing about the new incarnation.
    let actions = node.on(polled(1, 2));
    assert!(completes(&actions).is_empty());
    assert_eq!(polls(&actions), [at(0)]);
    assert_eq!(completes(&node.on(polled(2, 2))), [node.now]);
}

#[test]
fn append_to_an_incarnation_that_is_over_is_sent_again() {
    let mut node = Node::complete();
    let (first, _) = sent(&node.append(1, 1)).unwrap();
    poll(&mut node);
    node.on(polled(2, 1));
    let actions = node.on(committed(1, 1));
    assert!(answers(&actions).is_empty());
    let (again, batches) = sent(&node.sleep()).unwrap();
    assert_ne!(first, again);
    assert_eq!(batches, [1]);
    let actions = node.on(committed(2, 1));
    let [(1, Ok(Some(appended)))] = answers(&actions)[..] else {
        panic!("{actions:?}");
    };
    assert_eq!(appended.position.epoch, 2);
}

#[test]
fn append_from_before_a_loss_is_sent_again() {
    let mut node = Node::complete();
    node.append(1, 1);
    poll(&mut node);
    node.on(lost(1, 1));
    assert!(answers(&node.on(committed(1, 1))).is_empty());
    while sent(&node.sleep()).is_none() {}
    assert_eq!(answers(&node.on(committed(1, 1))).len(), 1);
}

#[test]
fn append_answered_by_an_old_engine_is_sent_again() {
    let mut node = Node::complete();
    poll(&mut node);
    node.on(polled(2, 1));
    node.append(1, 1);
    assert!(answers(&node.on(committed(1, 1))).is_empty());
    assert!(sent(&node.sleep()).is_some());
    assert_eq!(answers(&node.on(committed(2, 1))).len(), 1);
}
