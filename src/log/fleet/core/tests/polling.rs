//! When does a node poll, and when is it complete?

use super::*;

#[test]
fn node_polls_every_fifth_of_the_lease() {
    let mut node = Node::complete();
    node.sleep();
    for sequence in 1..5 {
        let actions = node.after(millis(300), Event::Polled(Ok(page(1, sequence))));
        assert!(polls(&actions).is_empty());
        // Counted from the question, not from the answer.
        assert_eq!(node.wait(), Some(millis(700)));
        assert_eq!(polls(&node.sleep()), [at(sequence)]);
        assert_eq!(node.wait(), None);
    }
}

#[test]
fn slow_answer_is_followed_by_the_next_poll() {
    let mut node = Node::new();
    let actions = node.after(millis(1500), Event::Polled(Ok(page(1, 1))));
    assert_eq!(polls(&actions), [at(1)]);
}

#[test]
fn only_one_poll_is_in_flight() {
    let mut node = Node::new();
    for event in [Event::Timer, Event::Hint, Event::Follow, append(1, 1)] {
        assert!(polls(&node.after(LEASE, event)).is_empty());
    }
}

#[test]
fn hint_polls_at_once() {
    let mut node = Node::complete();
    assert_eq!(polls(&node.on(Event::Hint)), [at(1)]);
}

#[test]
fn hints_during_a_poll_are_one_more_poll() {
    let mut node = Node::complete();
    for _ in 0..3 {
        node.on(Event::Hint);
    }
    assert_eq!(polls(&node.on(Event::Polled(Ok(page(1, 2))))), [at(2)]);
    assert_eq!(polls(&node.on(Event::Polled(Ok(page(1, 2))))), []);
}

#[test]
fn who_sends_false_hints_causes_rare_polls() {
    let mut node = Node::complete();
    let mut asked = 0;
    for _ in 0..500 {
        asked += polls(&node.after(millis(1), Event::Hint)).len();
        let records = Vec::new();
        node.on(Event::Polled(Ok(Page {
            records,
            ..page(1, 1)
        })));
    }
    assert!((8..=15).contains(&asked), "{asked}");
    // The hint is not forgotten.
    assert_eq!(polls(&node.after(millis(100), Event::Timer)), [at(1)]);
}

#[test]
fn readers_are_complete_as_of_the_question() {
    let mut node = Node::complete();
    node.sleep();
    let asked = node.now;
    let actions = node.after(millis(400), Event::Polled(Ok(page(1, 9))));
    assert_eq!(completes(&actions), [asked]);
    let age = node.core.status(node.now).complete_for;
    assert_eq!(age, Some(millis(400)));
}

#[test]
fn readers_have_the_records_before_they_are_complete() {
    let mut node = Node::complete();
    node.on(Event::Hint);
    let forgotten = NumericDate::new(5);
    let answer = Page {
        forgotten,
        ..page(1, 9)
    };
    let actions = node.on(Event::Polled(Ok(answer)));
    let [
        Action::Read(records),
        Action::Forgotten(told),
        Action::Complete { position, .. },
    ] = &actions[..]
    else {
        panic!("{actions:?}");
    };
    assert_eq!(records, &[record(9)]);
    assert_eq!(*told, forgotten);
    assert_eq!((position.epoch, position.sequence), (1, 9));
}

#[test]
fn page_before_the_last_one_makes_nobody_complete() {
    let mut node = Node::complete();
    node.on(Event::Hint);
    let answer = Page {
        more: true,
        ..page(1, 1)
    };
    let actions = node.after(millis(10), Event::Polled(Ok(answer)));
    assert_eq!(read(&actions), [record(1)]);
    assert!(completes(&actions).is_empty());
    assert_eq!(polls(&actions), [at(1)]);
    let asked = node.now;
    let actions = node.after(millis(10), Event::Polled(Ok(page(1, 2))));
    assert_eq!(completes(&actions), [asked]);
}

#[test]
fn commit_makes_nobody_complete() {
    let mut node = Node::complete();
    node.append(1, 1);
    let actions = node.after(millis(10), committed(1, 1));
    assert_eq!(read(&actions).len(), 1);
    assert!(completes(&actions).is_empty());
}

#[test]
fn new_reader_gets_everything_before_it_is_complete() {
    let mut node = Node::complete();
    assert_eq!(polls(&node.on(Event::Follow)), [at(0)]);
    let actions = node.on(Event::Polled(Ok(page(1, 1))));
    assert_eq!(completes(&actions), [node.now]);
}

#[test]
fn answer_to_an_earlier_question_does_not_complete_a_new_reader() {
    let mut node = Node::complete();
    node.on(Event::Hint);
    node.on(Event::Follow);
    let actions = node.on(Event::Polled(Ok(page(1, 2))));
    assert_eq!(read(&actions), [record(2)]);
    assert!(completes(&actions).is_empty());
    assert_eq!(polls(&actions), [at(0)]);
}

#[test]
fn each_new_reader_is_told_what_was_removed() {
    let forgotten = NumericDate::new(5);
    let told = |actions: &[Action]| {
        let is_told = |action: &&Action| matches!(action, Action::Forgotten(_));
        actions.iter().filter(is_told).count()
    };
    let answer = || {
        Event::Polled(Ok(Page {
            forgotten,
            ..page(1, 1)
        }))
    };
    let mut node = Node::new();
    assert_eq!(told(&node.on(answer())), 1);
    node.on(Event::Hint);
    assert_eq!(told(&node.on(answer())), 0);
    node.on(Event::Follow);
    assert_eq!(told(&node.on(answer())), 1);
}
