//! What does a node do with the answer of an engine that was replaced by another one?

use super::{
    losing::{change, found, poll, polled},
    *,
};

#[test]
fn old_engine_makes_nobody_complete() {
    let mut node = Node::complete();
    change(&mut node);
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

/// It could be a former primary, and others append elsewhere.
#[test]
fn old_engine_never_gets_another_incarnation() {
    let mut node = Node::complete();
    change(&mut node);
    poll(&mut node);
    let begun = node.now;
    while node.now.since(begun) < LEASE * 4 {
        let actions = node.on(polled(1, 1));
        assert!(completes(&actions).is_empty());
        let begins = |action: &Action| matches!(action, Action::Begin(_));
        assert!(!actions.iter().any(begins), "{actions:?}");
        assert!(matches!(actions[1], Action::Reconnect), "{actions:?}");
        while polls(&node.sleep()).is_empty() {}
    }
    assert_eq!(completes(&node.on(polled(2, 9))), [node.now]);
}

/// It is older or newer: the next answer says which.
#[test]
fn late_answer_of_an_unknown_incarnation_ends_none() {
    let mut node = Node::complete();
    node.append(1, 1);
    change(&mut node);
    // From between the two, or from after them.
    let actions = node.on(committed(3, 1));
    assert!(answers(&actions).is_empty());
    let mut newer = node.core.clone();
    poll(&mut node);
    assert_eq!(completes(&node.on(polled(2, 1))), [node.now]);
    // The third one is newer than the second, which is over.
    newer.on_event(node.now, Event::Timer);
    newer.on_event(node.now, polled(3, 1));
    let actions = newer.on_event(node.now, polled(2, 1));
    assert!(completes(&actions).is_empty());
    assert!(actions.iter().any(|one| matches!(one, Action::Reconnect)));
    // A fourth one ends both.
    poll(&mut node);
    node.on(polled(4, 1));
    node.on(polled(4, 1));
    poll(&mut node);
    let actions = node.on(polled(3, 1));
    assert!(completes(&actions).is_empty());
    assert!(actions.iter().any(|one| matches!(one, Action::Reconnect)));
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
    assert_eq!(polls(&actions), [at(1)]);
    node.on(polled(2, 2));
    // The node cannot know whether the record was lost.
    node.on(committed(2, 1));
    assert_eq!(completes(&node.on(found(2, 10_000))), [node.now]);
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
fn append_answered_by_an_old_engine_is_sent_again() {
    let mut node = Node::complete();
    poll(&mut node);
    node.on(polled(2, 1));
    node.append(1, 1);
    assert!(answers(&node.on(committed(1, 1))).is_empty());
    assert!(sent(&node.sleep()).is_some());
    assert_eq!(answers(&node.on(committed(2, 1))).len(), 1);
}
