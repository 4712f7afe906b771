use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio_test::{assert_pending, assert_ready, task};

use super::*;
use crate::{
    enforce::{tag::Tag, watch::Watchers},
    introspect::TokenKind,
    log::{NumericDate, SelectorClass},
};

/// The tag of a grant.
const GRANT: Tag = Tag([7, 7, 7, 1]);

/// Knows one record, if any, and counts how often it is checked.
#[derive(Default)]
pub(in crate::enforce) struct Index {
    pub(in crate::enforce) watchers: Arc<Watchers>,
    checked: AtomicUsize,
    known: AtomicBool,
}

impl Index {
    /// The record is in the index, but no watch is woken.
    pub(in crate::enforce) fn know(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    pub(in crate::enforce) fn revoke(&self) {
        self.know();
        self.watchers.revoked(GRANT, NumericDate::FOREVER);
    }

    pub(in crate::enforce) fn checked(&self) -> usize {
        self.checked.load(Ordering::Relaxed)
    }

    pub(in crate::enforce) fn life(self: &Arc<Self>) -> Life {
        self.life_until(None)
    }

    pub(in crate::enforce) fn life_until(self: &Arc<Self>, exp: Option<NumericDate>) -> Life {
        let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
        token.exp = exp;
        Life::new(self.clone(), token)
    }
}

impl Records for Index {
    fn end_of(&self, _: &Introspection) -> Option<End> {
        self.checked.fetch_add(1, Ordering::Relaxed);
        let known = self.known.load(Ordering::Relaxed);
        known.then_some(End::Revoked(Some(SelectorClass::Grant)))
    }

    fn watch(&self, token: &Introspection) -> Watch {
        self.watchers
            .watch([GRANT].into_iter(), token.iat, token.exp)
    }
}

#[test]
fn clones_of_a_watched_life_share_its_watch() {
    let index = Arc::new(Index::default());
    let life = TokenLife::new(index.life());
    let mut ends = vec![task::spawn(life.end())];
    ends.extend((0..2).map(|_| task::spawn(life.clone().end())));
    assert_eq!(index.watchers.len(), 1);
    for end in &mut ends {
        assert_pending!(end.poll());
    }
    assert_eq!(life.ended(), None);

    index.revoke();

    let revoked = End::Revoked(Some(SelectorClass::Grant));
    for end in &mut ends {
        assert!(end.is_woken());
        assert_eq!(assert_ready!(end.poll()), revoked);
    }
    assert_eq!(life.ended(), Some(revoked));
    drop((life, ends));
    assert_eq!(index.watchers.len(), 0);
}

#[test]
fn clones_of_an_unwatched_life_share_the_watch_of_the_first_that_is_used() {
    let index = Arc::new(Index::default());
    let life = TokenLife::new(index.life());
    let mut clones: Vec<_> = (0..3).map(|_| life.clone()).collect();
    clones.push(clones[0].clone());
    assert_eq!(index.watchers.len(), 0);
    let mut ends: Vec<_> = clones.iter().map(|it| task::spawn(it.end())).collect();
    for end in &mut ends {
        assert_pending!(end.poll());
    }
    assert_eq!(index.watchers.len(), 1);

    index.revoke();

    let revoked = End::Revoked(Some(SelectorClass::Grant));
    assert_eq!(life.ended(), Some(revoked));
    for (end, life) in ends.iter_mut().zip(&clones) {
        assert!(end.is_woken());
        assert_eq!(assert_ready!(end.poll()), revoked);
        assert_eq!(life.ended(), Some(revoked));
    }
}

#[test]
fn life_that_is_cloned_for_each_check_is_watched_once() {
    let index = Arc::new(Index::default());
    let life = TokenLife::new(index.life());
    for _ in 0..3 {
        assert_eq!(life.clone().ended(), None);
        assert_eq!(index.watchers.len(), 1);
    }
    // Once for the watch.
    assert_eq!(index.checked(), 1);
}
