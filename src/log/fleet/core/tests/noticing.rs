//! How does a node notice that the log lost records, if nothing says that it is another log?

use super::{
    losing::{lost, poll, polled},
    *,
};

/// The node makes all nodes notice, and is not complete.
fn notices(actions: &[Action]) {
    assert!(completes(actions).is_empty());
    let last = actions.last();
    assert!(
        matches!(last, Some(Action::Begin(Incarnation(1)))),
        "{actions:?}"
    );
}

fn append_these(node: &mut Node, records: Vec<Revocation>) {
    let new = usize::MAX;
    node.on(Event::Append {
        id: 1,
        client: None,
        batch: Batch { records, new },
    });
}

#[test]
fn own_record_that_the_log_lost_before_the_node_read_it_is_given_back() {
    let mut node = Node::complete();
    node.append(1, 1);
    poll(&mut node);
    // The answer is to a poll from before the commit.
    node.on(committed(1, 1));
    node.on(polled(1, 1));
    while polls(&node.sleep()).is_empty() {}
    // The same history, and not the record.
    let actions = node.on(polled(1, 2));
    notices(&actions);
    node.on(Event::Begun(Ok(())));
    let actions = node.on(polled(2, 2));
    assert_eq!(sent(&actions).unwrap().1, [1]);
    node.on(committed(2, 1));
    let mut found = page(2, 3);
    found.records = vec![record(10_000)];
    assert_eq!(completes(&node.on(Event::Polled(Ok(found)))), [node.now]);
}

#[test]
fn own_record_that_was_read_is_no_loss() {
    let mut node = Node::complete();
    node.append(1, 1);
    node.on(committed(1, 1));
    let mut page = page(1, 2);
    page.records = vec![record(10_000)];
    poll(&mut node);
    assert_eq!(completes(&node.on(Event::Polled(Ok(page)))), [node.now]);
    poll(&mut node);
    assert_eq!(completes(&node.on(polled(1, 3))), [node.now]);
}

#[test]
fn own_record_in_a_batch_with_known_ones_is_missed_too() {
    let mut node = Node::complete();
    // The node has read the first record, and the log has not got the second one before.
    append_these(&mut node, vec![record(1), record(10_000)]);
    node.on(committed(1, 1));
    poll(&mut node);
    let actions = node.on(polled(1, 2));
    notices(&actions);
}

#[test]
fn known_record_that_is_appended_again_is_not_missed() {
    let mut node = Node::complete();
    append_these(&mut node, vec![record(1)]);
    let done = Done::Appended {
        sequence: 1,
        added: 0,
    };
    node.on(answered(1, vec![done]));
    poll(&mut node);
    assert_eq!(completes(&node.on(polled(1, 2))), [node.now]);
}

#[test]
fn member_that_has_more_records_than_the_log_shows_a_loss() {
    let mut node = Node::complete();
    poll(&mut node);
    let mut page = page(1, 3);
    // It has read another incarnation so far.
    page.membership.members = vec![member(7, 1, 9, 2)];
    assert_eq!(
        completes(&node.on(Event::Polled(Ok(page.clone())))),
        [node.now]
    );
    poll(&mut node);
    page.membership.members = vec![member(7, 2, 4, 1)];
    let actions = node.on(Event::Polled(Ok(page)));
    notices(&actions);
}

#[test]
fn new_reader_does_not_hide_that_the_log_lost_its_end() {
    let mut node = Node::complete();
    poll(&mut node);
    node.on(polled(1, 4));
    assert_eq!(polls(&node.on(Event::Follow)), [at(0)]);
    // The log has as many records as before, and more. Is the last one of before among them?
    let actions = node.on(polled(1, 5));
    assert!(completes(&actions).is_empty());
    assert_eq!(polls(&actions), [at(4)]);
    let mut same = node.core.clone();
    let actions = same.on_event(node.now, polled(1, 5));
    assert_eq!(completes(&actions), [node.now]);
    let actions = node.on(lost(1, 5));
    notices(&actions);
}

#[test]
fn beat_that_goes_back_shows_a_loss() {
    let mut node = Node::complete();
    let me = node.core.member();
    let mut page = page(1, 1);
    for beat in [5, 6] {
        poll(&mut node);
        page.membership.members = vec![member(me, beat, 1, 1)];
        let actions = node.on(Event::Polled(Ok(page.clone())));
        assert_eq!(completes(&actions), [node.now]);
    }
    poll(&mut node);
    let actions = node.on(Event::Polled(Ok(page.clone())));
    notices(&actions);
    // It was struck out and is listed again.
    let mut node = Node::complete();
    poll(&mut node);
    node.on(Event::Polled(Ok(page.clone())));
    page.membership.members.clear();
    page.membership.was_listed = false;
    poll(&mut node);
    assert_eq!(polls(&node.on(Event::Polled(Ok(page)))).len(), 1);
}

#[test]
fn own_record_that_was_read_before_the_answer_to_its_append_is_no_loss() {
    let mut node = Node::complete();
    node.append(1, 1);
    poll(&mut node);
    let mut page = page(1, 2);
    page.records = vec![record(10_000)];
    assert_eq!(completes(&node.on(Event::Polled(Ok(page)))), [node.now]);
    let done = Done::Appended {
        sequence: 2,
        added: 1,
    };
    node.on(answered(1, vec![done]));
    for _ in 0..2 {
        poll(&mut node);
        assert_eq!(completes(&node.on(polled(1, 2))), [node.now]);
    }
}
