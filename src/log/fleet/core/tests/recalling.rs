//! A node with a copy of the log on its disk.

use super::{
    super::super::kept::{Found, Recalled},
    *,
};

/// A node that has the log on its disk up to here.
pub(super) fn node(cursor: Option<Cursor>, is_new: bool) -> Node {
    let mut node = Node::with(1, false);
    node.core.resume(Found { cursor, is_new });
    let polled = polls(&node.on(Event::Timer));
    assert_eq!(polled, [cursor.unwrap_or_default()]);
    node
}

/// An answer that says something about the history, and the record with the number of its end.
pub(super) fn answer(history: History, sequence: u64) -> Event {
    Event::Polled(Ok(Page {
        history,
        ..page(1, sequence)
    }))
}

pub(super) fn recalled(records: impl IntoIterator<Item = u64>, next: Option<u64>) -> Event {
    Event::Recalled(Some(Recalled {
        records: records.into_iter().map(record).collect(),
        next,
    }))
}

pub(super) fn recalls(actions: &[Action]) -> Vec<u64> {
    let asked = |action: &Action| match action {
        Action::Recall(after) => Some(*after),
        _ => None,
    };
    actions.iter().filter_map(asked).collect()
}

/// What the node gives back.
pub(super) fn given(actions: &[Action]) -> Vec<Revocation> {
    let given = |action: &Action| match action {
        Action::Append(append) if append.as_given => Some(append.batches[0].records.clone()),
        _ => None,
    };
    let mut given: Vec<_> = actions.iter().filter_map(given).flatten().collect();
    given.sort_by_key(|record| record.selector().to_bytes());
    given
}

#[test]
fn node_goes_on_from_its_disk_and_needs_nothing_of_it() {
    let mut node = node(Some(at(100)), false);
    let actions = node.on(answer(History::Same, 101));
    assert!(recalls(&actions).is_empty() && given(&actions).is_empty());
    let actions = node.on(answer(History::Same, 101));
    assert_eq!(completes(&actions).len(), 1);
    assert_eq!(node.core.whole(), Some(Incarnation(1)));
}

#[test]
fn log_gets_back_what_only_the_disk_has() {
    let mut node = node(Some(at(100)), false);
    // The log was emptied, and has one record since.
    let actions = node.on(answer(History::Other, 3));
    assert_eq!(recalls(&actions), [0]);
    assert_eq!(node.core.whole(), None);
    let actions = node.on(recalled([3, 4, 5], Some(50)));
    assert_eq!(given(&actions), [record(4), record(5)]);
    // The next piece is asked for at once: there is room.
    assert_eq!(recalls(&actions), [50]);
    let actions = node.on(committed(1, 1));
    assert!(given(&actions).is_empty());
    let polled = polls(&actions);
    // Nothing is complete before the whole disk was compared.
    let actions = node.on(answer(History::Same, 4));
    assert!(
        completes(&actions).is_empty() && node.core.whole().is_none(),
        "{polled:?}"
    );
    let actions = node.on(recalled([6], None));
    assert_eq!(given(&actions), [record(6)]);
    let actions = node.on(committed(1, 1));
    assert!(recalls(&actions).is_empty());
    node.on(answer(History::Same, 6));
    let actions = node.on(answer(History::Same, 6));
    assert_eq!(completes(&actions).len(), 1);
    assert_eq!(node.core.whole(), Some(Incarnation(1)));
}

#[test]
fn node_that_waits_for_its_disk_polls_as_usual() {
    let mut node = node(None, false);
    let mut actions = node.on(answer(History::Same, 3));
    assert_eq!(recalls(&actions), [0]);
    // The first report lists the node once it has healed.
    for _ in 0..3 {
        while polls(&actions).is_empty() {
            assert_eq!(node.wait(), Some(LEASE / 5));
            actions = node.sleep();
        }
        actions = node.on(answer(History::Same, 3));
    }
    assert_eq!(polls(&node.on(recalled([3], None))), [at(3)]);
}

#[test]
fn unknown_disk_is_compared_and_a_new_one_is_not() {
    let mut unknown = node(None, false);
    assert_eq!(recalls(&unknown.on(answer(History::Same, 3))), [0]);
    let mut empty = node(None, true);
    assert!(recalls(&empty.on(answer(History::Same, 3))).is_empty());
}

#[test]
fn piece_of_before_another_loss_is_not_the_answer() {
    let mut node = node(Some(at(100)), false);
    assert_eq!(recalls(&node.on(answer(History::Other, 3))), [0]);
    // Another incarnation begins before the piece comes.
    node.sleep();
    let lost = Event::Polled(Ok(page(2, 1)));
    assert!(recalls(&node.on(lost)).is_empty());
    let actions = node.on(recalled([7], None));
    assert!(given(&actions).is_empty() && node.core.whole().is_none());
}

#[test]
fn reader_that_has_the_disk_gets_only_the_rest() {
    let mut node = Node::complete();
    node.sleep();
    node.on(answer(History::Same, 9));
    for (has, asked) in [(at(0), at(0)), (at(5), at(5)), (at(12), at(9))] {
        let actions = node.on(Event::FollowAfter(has));
        // With less than others have, the node reads that again.
        assert_eq!(polls(&actions), [asked]);
        node.on(answer(History::Same, 9));
    }
}

#[test]
fn cursor_of_another_incarnation_is_not_gone_on_from() {
    let mut node = node(Some(at(100)), false);
    let known = |node: &Node| [1, 2].map(|number| node.core.knows(Incarnation(number)));
    // The answer to the first poll shows whether the log has what is on the disk.
    assert_eq!(known(&node), [true, true]);
    node.on(answer(History::Same, 101));
    node.on(answer(History::Same, 105));
    assert_eq!(known(&node), [true, false]);
    node.sleep();
    // Another one has begun, and the node looks for where the histories part.
    let other = Page {
        history: History::Other,
        ..page(2, 3)
    };
    let actions = node.on(Event::Polled(Ok(other)));
    assert_eq!(polls(&actions), [at(101)]);
    assert_eq!(known(&node), [false, true]);
}

#[test]
fn disk_that_cannot_be_read_is_compared_after_the_next_loss() {
    let mut node = node(None, false);
    assert_eq!(recalls(&node.on(answer(History::Same, 3))), [0]);
    // The node goes on with what it has.
    node.on(Event::Recalled(None));
    node.on(answer(History::Same, 3));
    assert_eq!(node.core.whole(), Some(Incarnation(1)));
    node.on(answer(History::Same, 3));
    node.on(Event::Hint);
    let another = node.on(Event::Polled(Ok(page(2, 3))));
    // The whole log is read again, for the disk to be compared with.
    assert_eq!(polls(&another), [at(0)]);
    assert_eq!(recalls(&node.on(Event::Polled(Ok(page(2, 3))))), [0]);
}

/// A scan gives the records in no order.
#[test]
fn records_of_a_scan_are_given_back() {
    let scanned = |number, sequence| {
        let upto = Cursor { sequence, mark: 5 };
        Event::Polled(Ok(Page {
            records: vec![record(number)],
            upto,
            more: true,
            ..page(1, number)
        }))
    };
    let mut node = Node::new();
    node.on(scanned(4, 0));
    node.on(scanned(2, 3));
    for _ in 0..3 {
        node.on(Event::Polled(Ok(page(1, 7))));
    }
    assert_eq!(node.core.whole(), Some(Incarnation(1)));
    let mut emptied = node.core.clone();
    // Nothing is lost.
    node.sleep();
    let actions = node.on(Event::Polled(Ok(page(2, 7))));
    assert!(given(&actions).is_empty());
    // Everything is.
    emptied.on_event(node.now, Event::Timer);
    let mut actions = Vec::new();
    while given(&actions).is_empty() {
        let empty = Page {
            history: History::Other,
            upto: Cursor::default(),
            records: Vec::new(),
            ..page(2, 0)
        };
        actions = emptied.on_event(node.now, Event::Polled(Ok(empty)));
    }
    assert_eq!(given(&actions), [2, 4, 7].map(record));
}
