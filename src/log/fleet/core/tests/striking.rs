//! Who is struck out, and when?

use super::*;
use crate::log::fleet::engine::Silent;

/// Answers a poll with a list of one other member. Returns the members that the next poll strikes out.
fn strikes(node: &mut Node, beat: u64, healed: u64) -> Vec<Silent> {
    let mut page = page(1, 1);
    page.membership.members = vec![member(2, beat, 1, healed)];
    let mut actions = node.on(Event::Polled(Ok(page)));
    if polls(&actions).is_empty() {
        actions = node.sleep();
    }
    asks(&actions)[0].silent.clone()
}

fn begun() -> Node {
    let mut node = Node::complete();
    node.after(LEASE / 5, Event::Timer);
    node
}

#[test]
fn member_is_struck_out_once_its_beat_has_been_the_same_for_longer_than_any_lease() {
    // A lease can have been renewed by a poll an interval after the last report, and that poll may
    // have been on its way.
    let longest = (LEASE + LEASE / 5 + LEASE * 2 / 5) * 51 / 50;
    let mut node = begun();
    let first = node.now;
    let struck = loop {
        let before = node.now;
        let silent = strikes(&mut node, 5, 1);
        if !silent.is_empty() {
            assert!(before.since(first) >= longest);
            break silent;
        }
        assert!(before.since(first) < longest, "{:?}", before.since(first));
    };
    assert_eq!(struck, [Silent { member: 2, beat: 5 }]);
}

/// A failover can bring back the list as it was long ago.
#[test]
fn beat_from_before_a_failover_is_no_sign_of_silence() {
    let mut node = begun();
    strikes(&mut node, 5, 1);
    let mut page = page(2, 1);
    page.membership.members = vec![member(2, 5, 1, 1)];
    let actions = node.after(LEASE * 3, Event::Polled(Ok(page)));
    let asks = asks(&actions);
    assert!(!asks.is_empty() && asks.iter().all(|ask| ask.silent.is_empty()));
}

/// It does not know what happened meanwhile.
#[test]
fn node_that_was_away_strikes_nobody_out_at_once() {
    let mut node = begun();
    strikes(&mut node, 5, 7);
    node.now = node.now + LEASE * 3;
    assert!(strikes(&mut node, 5, 7).is_empty());
}

#[test]
fn member_that_reports_is_not_struck_out() {
    let mut node = begun();
    for round in 0..40 {
        assert!(strikes(&mut node, round / 6, 1).is_empty(), "{round}");
    }
}

#[test]
fn member_that_reports_but_does_not_heal_is_struck_out() {
    let mut node = begun();
    let first = node.now;
    for beat in 0.. {
        let before = node.now;
        let silent = strikes(&mut node, beat, 7);
        if !silent.is_empty() {
            assert_eq!(silent, [Silent { member: 2, beat }]);
            assert!(before.since(first) >= LEASE * 51 / 50);
            return;
        }
        assert!(before.since(first) < LEASE * 4);
    }
}

#[test]
fn member_that_heals_in_time_is_not_struck_out() {
    let mut node = begun();
    for beat in 0..40 {
        let healed = if beat % 5 == 4 { 1 } else { 7 };
        assert!(strikes(&mut node, beat, healed).is_empty(), "{beat}");
    }
}

#[test]
fn list_says_who_lags_and_who_has_not_healed() {
    let mut node = begun();
    let mut page = page(1, 10);
    let me = node.core.member();
    page.membership.members = vec![member(me, 1, 10, 1), member(2, 1, 4, 7)];
    node.on(Event::Polled(Ok(page)));
    let members = node.core.status(node.now).members;
    let seen = members
        .iter()
        .map(|one| (one.is_this_process(), one.lag(), one.has_healed()));
    assert!(seen.eq([(true, 0, true), (false, 6, false)]));
}
