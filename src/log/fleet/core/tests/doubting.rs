//! The copy on the disk of a node was ahead of it, and the log has lost something.

use super::{
    recalling::{answer, given, node, recalled, recalls},
    *,
};

fn begins(actions: &[Action]) -> bool {
    let begins = |action: &Action| matches!(action, Action::Begin(_));
    actions.iter().any(begins)
}

/// The log is read from its beginning, and has the same first record as the copy.
fn compare(node: &mut Node, incarnation: u64) {
    let actions = node.on(Event::Polled(Ok(page(incarnation, 1))));
    assert_eq!(recalls(&actions), [0]);
    let actions = node.on(recalled([1, 2], None));
    assert_eq!(given(&actions), [record(2)]);
    assert_eq!(node.core.whole(), None);
    node.on(committed(incarnation, 1));
    assert_eq!(node.core.whole(), Some(Incarnation(incarnation)));
}

/// A node that has healed in the second incarnation, and has lost nothing itself.
fn healed() -> Node {
    let mut node = node(None, true);
    for _ in 0..3 {
        node.on(answer(History::Same, 1));
    }
    node.sleep();
    for _ in 0..2 {
        node.on(Event::Polled(Ok(page(2, 1))));
    }
    assert_eq!(node.core.whole(), Some(Incarnation(2)));
    node
}

#[test]
fn record_that_only_the_copy_has_read_is_given_back_in_another_incarnation() {
    let mut node = healed();
    assert_eq!(polls(&node.on(Event::Doubt)), [at(1)]);
    assert_eq!(node.core.whole(), None);
    let actions = node.on(Event::Polled(Ok(page(2, 1))));
    assert!(begins(&actions) && completes(&actions).is_empty());
    // Another one has begun it.
    let actions = node.on(Event::Begun(Ok(())));
    assert_eq!(polls(&actions), [at(1)]);
    // The node goes back, although the log has all that the node has.
    let actions = node.on(Event::Polled(Ok(page(3, 1))));
    assert_eq!(polls(&actions), [at(0)]);
    compare(&mut node, 3);
    // Once is enough.
    node.on(Event::Polled(Ok(page(3, 2))));
    let actions = node.on(Event::Polled(Ok(page(3, 2))));
    assert!(!begins(&actions) && completes(&actions).len() == 1);
}

#[test]
fn doubt_outlasts_an_incarnation_that_cannot_begin() {
    let mut node = healed();
    node.on(Event::Doubt);
    assert!(begins(&node.on(Event::Polled(Ok(page(2, 1))))));
    let actions = node.on(Event::Begun(Err(unavailable())));
    assert!(polls(&actions).is_empty());
    while polls(&node.sleep()).is_empty() {}
    let actions = node.on(Event::Polled(Ok(page(2, 1))));
    assert!(begins(&actions) && completes(&actions).is_empty());
}

#[test]
fn doubt_before_the_node_has_healed_needs_no_other_incarnation() {
    let mut node = node(None, true);
    let doubt = node.on(Event::Doubt);
    assert!(polls(&doubt).is_empty());
    let mut actions = node.on(Event::Polled(Ok(page(1, 1))));
    assert!(!begins(&actions));
    if recalls(&actions).is_empty() {
        actions = node.on(Event::Polled(Ok(page(1, 1))));
    }
    assert_eq!(recalls(&actions), [0]);
    // The piece is of before the next doubt.
    node.on(Event::Doubt);
    let actions = node.on(recalled([1], None));
    assert!(given(&actions).is_empty() && node.core.whole().is_none());
    let actions = node.on(Event::Polled(Ok(page(1, 1))));
    assert!(!begins(&actions) && polls(&actions) == [at(0)]);
    compare(&mut node, 1);
}
