//! A check or a watch of a token and a record of it start at the same time, and their threads run in
//! many orders.
//!
//! There are too many orders to try them all, as the tests of the table do. These are random. In
//! shuttle every read sees the last write, so these tests do not check the fences in `watch`.

use std::task::{Context, Waker};

use shuttle::{
    check_random,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use tokio_test::{assert_ready_eq, task};

use super::*;
use crate::{
    enforce::{
        life::{Records as _, TokenLife},
        watch::End,
    },
    introspect::TokenKind,
    log::{Revocation, SelectorClass},
};

const ORDERS: usize = 5000;
const END: NumericDate = NumericDate::new(1000);
const OLD: NumericDate = NumericDate::new(10);
const REVOKED: End = End::Revoked(Some(SelectorClass::Grant));

fn token() -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
    token.grant = Some("g1".into());
    token.sub = Some("alice".into());
    token.iat = Some(NumericDate::new(20));
    token
}

/// A token that was found uncovered before, which the index remembers. A watch has made its tags.
fn remembered(shared: &Shared) -> Introspection {
    let token = token_without_tags(shared);
    drop(shared.watch(&token));
    assert!((0..2).all(|_| shared.revoked_by(&token).is_none()));
    token
}

/// A token whose tags are made when their class gets a record.
fn token_without_tags(shared: &Shared) -> Introspection {
    let token = token().for_reuse();
    assert!((0..2).all(|_| shared.revoked_by(&token).is_none()));
    token
}

fn life(shared: &Arc<Shared>) -> Life {
    Life::new(shared.clone(), token())
}

/// A record of the token comes, in a thread of its own.
fn revoke(shared: &Arc<Shared>) -> thread::JoinHandle<()> {
    let shared = shared.clone();
    let record = Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER);
    thread::spawn(move || shared.read(&[record]))
}

#[test]
fn a_token_that_is_watched_while_its_record_comes_has_ended() {
    check_random(
        || {
            let shared = Index::new().shared;
            let writer = revoke(&shared);
            let watch = life(&shared).watch();
            writer.join().unwrap();
            assert_eq!(watch.ended(), Some(REVOKED));
        },
        ORDERS,
    );
}

#[test]
fn a_task_that_waits_while_the_record_comes_is_woken() {
    check_random(
        || {
            let shared = Index::new().shared;
            let writer = revoke(&shared);
            // Two clones, so that they use two slots.
            let life = TokenLife::new(life(&shared));
            let mut ends = [task::spawn(life.end()), task::spawn(life.end())];
            let waits = ends.each_mut().map(|end| end.poll().is_pending());
            writer.join().unwrap();
            for (end, waits) in ends.iter_mut().zip(waits) {
                assert_eq!(end.is_woken(), waits);
                assert_ready_eq!(end.poll(), REVOKED);
            }
        },
        ORDERS,
    );
}

#[test]
fn a_life_that_is_dropped_while_its_record_comes_leaves_no_watch() {
    check_random(
        || {
            let shared = Index::new().shared;
            let writer = revoke(&shared);
            let mut watch = life(&shared).watch();
            let _ = watch.poll_ended(&mut Context::from_waker(Waker::noop()));
            drop(watch);
            writer.join().unwrap();
            assert!(shared.watchers.is_empty());
        },
        ORDERS,
    );
}

#[test]
fn two_checks_of_a_kept_token_miss_no_record() {
    check_random(
        || {
            let index = Index::new();
            let token = remembered(&index.shared);
            let merged = Arc::new(AtomicBool::new(false));
            // A record of the token, and one that only shares a counter with it or none at all.
            let other = index.shared.clone();
            let other = thread::spawn(move || {
                let record = Revocation::watermark(Selector::subject("alice"), OLD, END);
                other.read(&[record]);
            });
            let writer = thread::spawn({
                let (shared, merged) = (index.shared.clone(), merged.clone());
                move || {
                    revoke(&shared).join().unwrap();
                    merged.store(true, Ordering::Release);
                }
            });
            let check = {
                let (index, token) = (index.clone(), token.clone());
                move || {
                    for _ in 0..3 {
                        let merged = merged.load(Ordering::Acquire);
                        assert!(index.covers(&token) || !merged);
                    }
                }
            };
            let checks = [thread::spawn(check.clone()), thread::spawn(check)];
            for thread in checks.into_iter().chain([other, writer]) {
                thread.join().unwrap();
            }
            assert!(index.covers(&token));
        },
        ORDERS / 5,
    );
}

#[test]
fn record_that_one_check_has_found_is_found_by_all_that_follow() {
    found_by_all_that_follow(remembered);
}

#[test]
fn record_that_makes_a_tag_is_found_by_all_checks_that_follow() {
    found_by_all_that_follow(token_without_tags);
}

fn found_by_all_that_follow(token: fn(&Shared) -> Introspection) {
    check_random(
        move || {
            let shared = Index::new().shared;
            let token = token(&shared);
            let writer = revoke(&shared);
            for _ in 0..2 {
                let found = shared.revoked_by(&self::token());
                assert!(found.is_none() || shared.revoked_by(&token).is_some());
            }
            writer.join().unwrap();
        },
        ORDERS,
    );
}

#[test]
fn kept_token_is_never_live_after_its_record_was_forgotten() {
    check_random(
        || {
            let index = Index::new();
            let token = remembered(&index.shared);
            let merged = Arc::new(AtomicBool::new(false));
            let writer = thread::spawn({
                let (index, merged) = (index.clone(), merged.clone());
                move || {
                    let record = Revocation::forever(Selector::grant("g1"), END);
                    index.shared.read(&[record]);
                    merged.store(true, Ordering::Release);
                    index.sweep(END);
                }
            });
            for _ in 0..3 {
                let merged = merged.load(Ordering::Acquire);
                // The clock has gone back.
                let is_known = index.covers(&token) || index.may_have_forgotten(&token, OLD);
                assert!(is_known || !merged);
            }
            writer.join().unwrap();
            assert!(!index.covers(&token) && index.may_have_forgotten(&token, OLD));
        },
        ORDERS / 5,
    );
}
