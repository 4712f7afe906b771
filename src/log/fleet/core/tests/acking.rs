//! When does an append return that waits for all members?

use super::*;

/// The page of a log with seven records, and what each member has.
fn reported(applied: &[(u64, u64)]) -> Event {
    let member = |(id, applied): &(u64, u64)| member(*id, 1, *applied, 1);
    let mut page = last(1);
    page.membership.members = applied.iter().map(member).collect();
    Event::Polled(Ok(page))
}

/// The page with the record of the append.
fn last(incarnation: u64) -> Page {
    let mut page = page(incarnation, 7);
    page.membership.report_wanted = true;
    page.records = vec![record(10_000)];
    page
}

/// A node whose append is in the log, as the seventh record. The next poll is in flight.
fn appended() -> Node {
    let mut node = Node::waiting().completed().settled();
    node.append(1, 1);
    let actions = node.on(committed(1, 1));
    assert_eq!(read(&actions), [record(10_000)]);
    assert!(answers(&actions).is_empty());
    next(&mut node);
    node
}

/// The next poll, and what was answered meanwhile.
fn next(node: &mut Node) -> Vec<Action> {
    let mut wakes = std::iter::repeat_with(|| node.sleep()).take(100);
    let polled = wakes.find(|actions| !polls(actions).is_empty());
    polled.expect("a poll")
}

fn is_answered(actions: &[Action]) -> bool {
    matches!(answers(actions)[..], [(1, Ok(Some(_)))])
}

#[test]
fn append_returns_once_every_member_has_the_record_and_the_node_is_complete_again() {
    let mut node = appended();
    let begun = node.now;
    // The node itself reports at once as well.
    let actions = node.on(reported(&[(2, 7), (3, 6)]));
    assert!(answers(&actions).is_empty());
    let report = asks(&actions)[0].report.as_ref().unwrap();
    assert!(report.waits);
    // The confirming poll is sent at once.
    let actions = node.on(reported(&[(2, 7), (3, 7)]));
    assert!(answers(&actions).is_empty());
    assert_eq!(polls(&actions), [at(7)]);
    assert!(is_answered(&node.on(reported(&[]))));
    assert!(node.now.since(begun) < millis(50));
    assert_eq!(node.core.status(node.now).queued, 0);
}

#[test]
fn member_that_does_not_report_is_waited_for_until_its_lease_has_ended() {
    let mut node = appended();
    let begun = node.now - millis(5);
    let mut polls = 0;
    loop {
        let actions = node.on(reported(&[(2, 6)]));
        if is_answered(&actions) {
            break;
        }
        assert!(answers(&actions).is_empty());
        if super::polls(&actions).is_empty() {
            next(&mut node);
        }
        polls += 1;
    }
    let waited = node.now.since(begun);
    assert!(waited >= LEASE + LEASE / 50, "{waited:?}");
    assert!(waited < LEASE + LEASE / 10, "{waited:?}");
    assert!(polls < 40, "{polls}");
}

#[test]
fn node_that_waits_for_a_member_wakes_only_to_poll() {
    let mut node = appended();
    let (mut wakes, mut polls) = (0, 0);
    while node.core.status(node.now).queued > 0 {
        let mut actions = node.on(reported(&[(2, 6)]));
        while super::polls(&actions).is_empty() {
            actions = node.sleep();
            wakes += 1;
            // Once more when the lease is over.
            assert!(wakes <= polls + 2, "{wakes} after {polls} polls");
        }
        polls += 1;
    }
}

#[test]
fn member_that_has_not_healed_does_not_have_the_record() {
    let mut node = appended();
    let mut page = last(1);
    page.membership.members = vec![member(2, 1, 9, 2)];
    for _ in 0..3 {
        let actions = node.on(Event::Polled(Ok(page.clone())));
        assert!(answers(&actions).is_empty());
        if polls(&actions).is_empty() {
            next(&mut node);
        }
    }
}

#[test]
fn poll_from_before_the_append_says_nothing_of_the_members() {
    let mut node = Node::waiting().completed().settled();
    let actions = node.after(LEASE / 5, Event::Timer);
    assert!(asks(&actions)[0].report.is_some());
    node.append(1, 1);
    node.on(committed(1, 1));
    for _ in 0..2 {
        // The first answer is to the poll from before.
        let actions = node.on(reported(&[(2, 7)]));
        assert!(answers(&actions).is_empty());
        if polls(&actions).is_empty() {
            next(&mut node);
        }
    }
    assert!(is_answered(&node.on(reported(&[]))));
}

#[test]
fn node_that_is_not_complete_does_not_confirm() {
    let mut node = appended();
    node.on(reported(&[]));
    for _ in 0..3 {
        let mut held_up = last(1);
        held_up.membership.barrier = true;
        let actions = node.on(Event::Polled(Ok(held_up)));
        assert!(answers(&actions).is_empty());
        if polls(&actions).is_empty() {
            next(&mut node);
        }
    }
    assert!(is_answered(&node.on(reported(&[]))));
}

#[test]
fn caller_waits_no_longer_than_a_lease_and_the_time_limit() {
    let mut node = appended();
    let begun = node.now - millis(5);
    loop {
        let actions = node.sleep();
        if !answers(&actions).is_empty() {
            told(&actions, [1], LogErrorKind::Unavailable);
            break;
        }
    }
    assert_eq!(node.now.since(begun), LEASE + LEASE / 50 + TIMEOUT);
}

/// The engine answers in the second incarnation from now on, until the append is answered. Returns its
/// epoch, and whether the append was sent again.
fn second_incarnation(node: &mut Node, members: &[(u64, u64)]) -> (u64, bool) {
    let mut actions = node.on(reported(members));
    let (mut polls, mut appends, mut again) = (0, 0, false);
    for _ in 0..1000 {
        polls += super::polls(&actions).len();
        appends += sent(&actions).iter().len();
        again |= appends > 0;
        if let [(1, Ok(Some(appended)))] = answers(&actions)[..] {
            return (appended.position.epoch, again);
        }
        actions = if appends > 0 {
            appends -= 1;
            node.on(committed(2, 1))
        } else if polls > 0 {
            polls -= 1;
            node.on(Event::Polled(Ok(last(2))))
        } else {
            node.sleep()
        };
    }
    panic!("never answered");
}

#[test]
fn append_that_waits_is_sent_again_in_another_incarnation() {
    assert_eq!(second_incarnation(&mut appended(), &[(2, 7)]), (2, true));
}

#[test]
fn node_that_the_engine_may_have_forgotten_is_waited_for() {
    let mut node = appended();
    let begun = node.now;
    // A failover has lost that another node was listed, and this one never heard of it. It has a lease
    // from before.
    second_incarnation(&mut node, &[]);
    let waited = node.now.since(begun);
    assert!(waited >= LEASE + LEASE / 50, "{waited:?}");
    assert!(waited < LEASE + LEASE / 4, "{waited:?}");
}

#[test]
fn member_reports_each_record_if_somebody_waits() {
    let mut node = Node::complete();
    node.on(Event::Hint);
    let mut wanted = page(1, 2);
    wanted.membership.report_wanted = true;
    let actions = node.on(Event::Polled(Ok(wanted.clone())));
    let [ask] = asks(&actions)[..] else {
        panic!("{actions:?}");
    };
    assert_eq!(ask.report.as_ref().unwrap().applied, 2);
    assert!(asks(&node.on(Event::Polled(Ok(wanted)))).is_empty());
}
