//! How many callers can wait?

use super::{
    super::queue::{QUEUE, QUOTA},
    *,
};

fn append_for(client: &str, id: u64) -> Event {
    let Event::Append { batch, .. } = append(id, 1) else {
        unreachable!();
    };
    Event::Append {
        id,
        client: Some(Selector::client(client)),
        batch,
    }
}

#[test]
fn full_queue_refuses_the_next_caller() {
    let mut node = Node::complete();
    for id in 0..QUEUE as u64 {
        assert!(answers(&node.append(id, 0)).is_empty());
    }
    told(&node.append(99_999, 0), [99_999], LogErrorKind::QueueFull);
    // At most 1,024 go at once.
    node.on(committed(1, 1));
    node.on(Event::Timer);
    let actions = node.on(committed(1, 1024));
    assert_eq!(answers(&actions).len(), 1024);
    assert!(answers(&node.append(99_999, 0)).is_empty());
}

#[test]
fn client_has_a_quota() {
    let mut node = Node::complete();
    for id in 0..QUOTA as u64 {
        assert!(answers(&node.on(append_for("a", id))).is_empty());
    }
    told(
        &node.on(append_for("a", 5000)),
        [5000],
        LogErrorKind::QueueFull,
    );
    assert!(answers(&node.on(append_for("b", 5001))).is_empty());
    assert!(answers(&node.append(5002, 1)).is_empty());
}

#[test]
fn every_answer_frees_a_place() {
    let mut node = Node::complete();
    for _ in 0..2 {
        for id in 0..QUOTA as u64 {
            assert!(answers(&node.on(append_for("a", id))).is_empty());
        }
        // In flight, and in the queue.
        let actions = node.after(TIMEOUT, Event::Timer);
        assert_eq!(answers(&actions).len(), QUOTA);
        assert!(read(&node.on(committed(1, 1))).len() == 1);
    }
    node.on(append_for("a", 1));
    assert_eq!(answers(&node.on(committed(1, 1))).len(), 1);
    node.on(append_for("a", 1));
    node.on(Event::Committed(Err(LogError::new(LogErrorKind::Storage))));
    for id in 0..QUOTA as u64 {
        assert!(answers(&node.on(append_for("a", id))).is_empty());
    }
}
