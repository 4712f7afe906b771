//! What becomes of an append?

use std::error::Error as _;

use super::*;
use crate::log::Position;

fn failed() -> Event {
    Event::Committed(Err(unavailable()))
}

#[test]
fn what_waits_goes_with_the_next_append() {
    let mut node = Node::complete();
    assert_eq!(sent(&node.append(1, 2)).unwrap().1, [2]);
    for id in 2..5 {
        assert!(sent(&node.append(id, 1)).is_none());
    }
    let actions = node.on(committed(1, 1));
    assert!(sent(&actions).is_none());
    // The first one appends again, and goes with them.
    assert_eq!(sent(&node.append(1, 2)).unwrap().1, [1, 1, 1, 2]);
    let actions = node.on(committed(1, 4));
    let ids = answers(&actions).into_iter().map(|(id, _)| id);
    assert!(ids.eq([2, 3, 4, 1]));
    assert!(sent(&node.on(Event::Timer)).is_none());
}

#[test]
fn batch_is_not_split() {
    let mut node = Node::complete();
    node.append(1, 1);
    node.append(2, 1000);
    node.append(3, 24);
    node.append(4, 1);
    node.append(5, 5000);
    node.append(6, 1);
    let mut count = 1;
    for expected in [vec![1000, 24], vec![1], vec![5000], vec![1]] {
        node.on(committed(1, count));
        let (_, batches) = sent(&node.on(Event::Timer)).unwrap();
        assert_eq!(batches, expected);
        count = batches.len();
    }
}

#[test]
fn readers_have_the_records_before_the_caller_has_its_answer() {
    let mut node = Node::complete();
    node.append(1, 1);
    let actions = node.on(committed(4, 1));
    let [Action::Read(records), Action::Answer { id: 1, result }, ..] = &actions[..] else {
        panic!("{actions:?}");
    };
    assert_eq!(records, &[record(10_000)]);
    let position = Position {
        epoch: 4,
        sequence: 7,
    };
    assert_eq!(result.as_ref().unwrap(), &Some(Appended::new(position, 1)));
}

#[test]
fn readers_have_the_records_as_the_engine_stores_them() {
    let mut node = Node::complete();
    let [given, stored] = [990, 1000].map(|not_before| {
        let date = NumericDate::new(not_before);
        Revocation::watermark(record(1).selector(), date, NumericDate::FOREVER)
    });
    node.on(Event::Append {
        id: 1,
        client: None,
        batch: Batch {
            records: vec![given],
            new: 1,
        },
    });
    assert_eq!(read(&node.on(committed(1, 1))), [stored]);
}

#[test]
fn refused_batches_fail_alone() {
    let mut node = Node::complete();
    node.append(0, 1);
    for id in 1..4 {
        node.append(id, 1);
    }
    node.on(committed(1, 1));
    node.on(Event::Timer);
    let done = Done::Appended {
        sequence: 9,
        added: 0,
    };
    let actions = node.on(answered(1, vec![Done::TooMany, Done::Full, done]));
    assert_eq!(read(&actions), [record(30_000)]);
    let [
        (1, Ok(None)),
        (2, Err(LogErrorKind::Full)),
        (3, Ok(Some(_))),
    ] = answers(&actions)[..]
    else {
        panic!("{actions:?}");
    };
}

#[test]
fn append_with_an_unknown_outcome_is_sent_again() {
    let mut node = Node::complete();
    let (first, _) = sent(&node.append(1, 1)).unwrap();
    node.append(2, 1);
    let actions = node.on(failed());
    assert!(answers(&actions).is_empty());
    assert!(sent(&actions).is_none());
    // Later callers go with it.
    let (again, batches) = sent(&node.sleep()).unwrap();
    assert_ne!(first, again);
    assert_eq!(batches, [1, 1]);
    assert_eq!(answers(&node.on(committed(1, 2))).len(), 2);
}

#[test]
fn answer_for_another_number_of_batches_is_no_answer() {
    let mut node = Node::complete();
    node.append(1, 1);
    assert!(answers(&node.on(committed(1, 2))).is_empty());
    assert!(sent(&node.sleep()).is_some());
    assert_eq!(answers(&node.on(committed(1, 1))).len(), 1);
}

#[test]
fn caller_waits_no_longer_than_the_limit() {
    let mut node = Node::complete();
    node.on(Event::Hint);
    // One is in flight, the other one in the queue.
    node.append(1, 1);
    node.after(millis(500), append(2, 1));
    assert_eq!(node.wait(), Some(millis(1500)));
    told(&node.sleep(), [1], LogErrorKind::Unavailable);
    assert_eq!(node.wait(), Some(millis(500)));
    told(&node.sleep(), [2], LogErrorKind::Unavailable);
    assert_eq!(node.wait(), None);
}

#[test]
fn caller_that_expires_fails_alone() {
    let mut node = Node::complete();
    node.append(1, 1);
    node.after(millis(1500), append(2, 1));
    told(
        &node.after(millis(500), Event::Timer),
        [1],
        LogErrorKind::Unavailable,
    );
    node.on(failed());
    // The other caller goes on waiting, and the first batch is not sent again.
    let (_, batches) = sent(&node.sleep()).unwrap();
    assert_eq!(batches, [1]);
    let actions = node.on(committed(1, 1));
    assert!(matches!(answers(&actions)[..], [(2, Ok(Some(_)))]));
    assert_eq!(read(&actions), [record(20_000)]);
}

#[test]
fn records_of_an_expired_caller_are_read_if_they_are_durable() {
    let mut node = Node::complete();
    node.append(1, 1);
    told(
        &node.after(TIMEOUT, Event::Timer),
        [1],
        LogErrorKind::Unavailable,
    );
    let actions = node.on(committed(1, 1));
    assert_eq!(read(&actions), [record(10_000)]);
    assert!(answers(&actions).is_empty());
}

#[test]
fn error_of_an_expired_caller_names_the_last_failure() {
    let mut node = Node::complete();
    node.append(1, 1);
    node.on(failed());
    let actions = node.after(TIMEOUT, Event::Timer);
    let [
        Action::Answer {
            result: Err(error), ..
        },
        ..,
    ] = &actions[..]
    else {
        panic!("{actions:?}");
    };
    assert_eq!(error.kind(), LogErrorKind::Unavailable);
    assert_eq!(error.source().unwrap().to_string(), "connection refused");
}

#[test]
fn refusal_of_the_engine_is_not_tried_again() {
    let mut node = Node::complete();
    node.append(1, 1);
    let refused = LogError::new(LogErrorKind::Misconfigured);
    let actions = node.on(Event::Committed(Err(refused)));
    told(&actions, [1], LogErrorKind::Misconfigured);
    assert_eq!(node.core.status(node.now).queued, 0);
}
