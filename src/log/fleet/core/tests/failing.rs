//! What does a node do while the engine does not answer?

use super::*;

fn failed() -> Event {
    Event::Polled(Err(unavailable()))
}

/// The pauses after this number of failures in a row.
fn pauses(seed: u64, failures: usize) -> Vec<Duration> {
    let mut node = Node::seeded(seed);
    node.on(Event::Timer);
    let pause = |_| {
        let actions = node.on(failed());
        let pause = node.wait();
        // A pause of no length is possible.
        if polls(&actions).is_empty() {
            assert_eq!(polls(&node.sleep()), [at(0)]);
        }
        pause.unwrap_or_default()
    };
    (0..failures).map(pause).collect()
}

#[test]
fn pauses_are_random_and_double() {
    let runs: Vec<_> = (0..200).map(|seed| pauses(seed, 10)).collect();
    for index in 0..10_usize {
        let limit = (millis(100) * (1 << index)).min(LEASE * 2 / 5);
        let found = || runs.iter().map(|run| run[index]);
        assert!(found().all(|pause| pause <= limit));
        // The whole range is used, by the first pause too.
        assert!(found().any(|pause| pause < limit / 10));
        assert!(found().any(|pause| pause > limit * 9 / 10));
    }
}

#[test]
fn answer_ends_the_series_of_pauses() {
    let mut node = Node::new();
    for _ in 0..10 {
        node.on(failed());
        node.sleep();
    }
    node.on(Event::Polled(Ok(page(1, 1))));
    node.on(Event::Hint);
    node.on(failed());
    assert!(node.wait() <= Some(millis(100)));
}

#[test]
fn hint_does_not_end_a_pause() {
    let mut node = Node::complete();
    node.on(Event::Hint);
    node.on(failed());
    let wait = node.wait();
    assert!(wait > Some(Duration::ZERO));
    assert!(node.on(Event::Hint).is_empty());
    assert!(node.on(Event::Follow).is_empty());
    assert_eq!(node.wait(), wait);
}

#[test]
fn failed_poll_is_repeated_from_where_it_was() {
    let mut node = Node::complete();
    node.on(Event::Hint);
    node.on(failed());
    assert_eq!(polls(&node.sleep()), [at(1)]);
}

#[test]
fn commit_ends_the_pause_of_polls() {
    let mut node = Node::complete();
    node.append(1, 1);
    node.on(Event::Hint);
    node.on(failed());
    assert_eq!(polls(&node.on(committed(1, 1))), [at(1)]);
}

#[test]
fn page_ends_the_pause_of_appends() {
    let mut node = Node::complete();
    node.append(1, 1);
    assert!(sent(&node.on(Event::Committed(Err(unavailable())))).is_none());
    node.on(Event::Hint);
    assert!(sent(&node.on(Event::Polled(Ok(page(1, 1))))).is_some());
}

#[test]
fn answer_without_a_question_is_no_answer() {
    let mut node = Node::complete();
    assert!(node.on(failed()).is_empty());
    assert!(node.on(Event::Committed(Err(unavailable()))).is_empty());
    assert!(node.on(committed(2, 1)).is_empty());
    let actions = node.on(Event::Polled(Ok(page(2, 2))));
    assert_eq!(read(&actions), [record(2)]);
    assert_eq!(actions.len(), 1);
}

#[test]
fn status_says_what_fails_and_since_when() {
    let mut node = Node::complete();
    let status = node.core.status(node.now + millis(20));
    assert_eq!(status.reachable_for, Some(millis(20)));
    assert!(status.failing.is_none());

    node.on(Event::Hint);
    node.after(millis(10), failed());
    let status = node.core.status(node.now + millis(30));
    assert_eq!(status.reachable_for, None);
    assert_eq!(status.complete_for, Some(millis(40)));
    let failing = status.failing.unwrap();
    assert_eq!(failing.lasting, millis(30));
    assert!(failing.retry_in < millis(100));
    assert_eq!(failing.cause.kind(), LogErrorKind::Unavailable);

    // An append that failed is not forgotten while its caller waits.
    node.append(1, 1);
    node.on(Event::Committed(Err(unavailable())));
    while polls(&node.sleep()).is_empty() {
        node.on(Event::Committed(Err(unavailable())));
    }
    node.on(Event::Polled(Ok(page(1, 1))));
    let status = node.core.status(node.now);
    assert_eq!(status.reachable_for, Some(Duration::ZERO));
    assert_eq!(status.queued, 1);
    assert!(status.failing.is_some());

    // No caller waits, and the engine answers polls.
    node.on(committed(1, 1));
    assert!(node.core.status(node.now).failing.is_none());
}

#[test]
fn append_that_failed_is_followed_by_empty_ones_until_one_succeeds() {
    let mut node = Node::complete();
    node.append(1, 1);
    node.on(Event::Committed(Err(unavailable())));
    let actions = node.after(TIMEOUT, Event::Timer);
    told(&actions, [1], LogErrorKind::Unavailable);
    // Two answers to polls say nothing of appends.
    for _ in 0..2 {
        node.on(Event::Committed(Err(unavailable())));
        node.on(Event::Hint);
        node.on(Event::Polled(Ok(page(1, 1))));
        let failing = node.core.status(node.now).failing;
        assert!(failing.is_some_and(|failing| failing.lasting >= TIMEOUT));
    }
    node.on(Event::Committed(Err(unavailable())));
    let trial = loop {
        if let Some((_, batches)) = sent(&node.sleep()) {
            break batches;
        }
    };
    assert!(trial.is_empty());
    // Who comes meanwhile waits for its outcome.
    assert!(sent(&node.append(2, 1)).is_none());
    let actions = node.on(committed(1, 0));
    assert!(node.core.status(node.now).failing.is_none());
    assert_eq!(sent(&actions).unwrap().1, [1]);
    node.on(committed(1, 1));
    assert!(sent(&node.after(LEASE, Event::Timer)).is_none());
}
