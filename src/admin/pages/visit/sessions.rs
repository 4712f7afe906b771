//! Who has signed in?

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::id::Id;
use crate::log::Moment;

/// A session ends after this time without a request.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// It ends after this time in any case.
const LONGEST: Duration = Duration::from_secs(8 * 60 * 60);
const IN_ALL: usize = 4096;

/// The sessions of browsers, by the digests of their identifiers.
///
/// There are at most 4096, and each owner has a share of them. Beyond that, the one that was not used for
/// the longest time ends.
pub(in super::super) struct Sessions<T> {
    /// The limit for one owner: a caller, or an address.
    of_one: usize,
    table: Mutex<HashMap<[u8; 32], Session<T>>>,
}

struct Session<T> {
    /// Whose share of the table it uses.
    owner: [u8; 32],
    begun: Moment,
    used: Moment,
    value: T,
}

impl<T> Session<T> {
    fn has_ended(&self, now: Moment) -> bool {
        now.since(self.used) >= IDLE || now.since(self.begun) >= LONGEST
    }
}

impl<T> Sessions<T> {
    pub(super) fn new(of_one: usize) -> Self {
        Self {
            of_one,
            table: Mutex::default(),
        }
    }

    /// Begins a session. Its identifier is new, so nobody knows it from before.
    ///
    /// # Errors
    ///
    /// Fails if the system has no random numbers.
    pub(in super::super) fn begin(
        &self,
        owner: [u8; 32],
        value: T,
    ) -> Result<Id, getrandom::Error> {
        let id = Id::random()?;
        self.begin_as(&id, owner, value);
        Ok(id)
    }

    /// Begins a session whose identifier was made for it.
    pub(in super::super) fn begin_as(&self, id: &Id, owner: [u8; 32], value: T) {
        self.begin_at(id, owner, value, Moment::now());
    }

    fn begin_at(&self, id: &Id, owner: [u8; 32], value: T, now: Moment) {
        let mut table = self.table();
        table.retain(|_, session| !session.has_ended(now));
        let of_owner = table.values().filter(|it| it.owner == owner).count();
        let is_crowded = |it: &Session<T>| of_owner < self.of_one || it.owner == owner;
        if of_owner >= self.of_one || table.len() >= IN_ALL {
            let others = table.iter().filter(|(_, it)| is_crowded(it));
            let oldest = others.max_by_key(|(_, it)| now.since(it.used));
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                table.remove(&oldest);
            }
        }
        let session = Session {
            owner,
            begun: now,
            used: now,
            value,
        };
        table.insert(id.digest(), session);
    }

    /// Uses a session, if it has not ended.
    pub(in super::super) fn with<R>(&self, id: &Id, with: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.with_at(id, Moment::now(), with)
    }

    fn with_at<R>(&self, id: &Id, now: Moment, with: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut table = self.table();
        let session = table.get_mut(&id.digest())?;
        if session.has_ended(now) {
            table.remove(&id.digest());
            return None;
        }
        session.used = now;
        Some(with(&mut session.value))
    }

    pub(in super::super) fn end(&self, id: &Id) {
        self.table().remove(&id.digest());
    }

    fn table(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session<T>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_there(sessions: &Sessions<u8>, id: &Id, now: Moment) -> bool {
        sessions.with_at(id, now, |_| ()).is_some()
    }

    #[test]
    fn session_ends_unused_and_after_hours_of_use() {
        let sessions = Sessions::new(16);
        let begun = Moment::now();
        let [unused, used] = [(); 2].map(|()| Id::random().unwrap());
        sessions.begin_at(&unused, [0; 32], 0_u8, begun);
        sessions.begin_at(&used, [0; 32], 0, begun);
        let minute = Duration::from_secs(60);
        for minutes in (0..8 * 60).step_by(14) {
            assert!(is_there(&sessions, &used, begun + minute * minutes));
        }
        assert!(!is_there(&sessions, &used, begun + LONGEST));
        assert!(!is_there(&sessions, &unused, begun + IDLE));
        assert!(sessions.table().is_empty());
    }

    #[test]
    fn session_that_has_ended_is_none() {
        let sessions = Sessions::new(16);
        let now = Moment::now();
        let ids = [0, 1].map(|value| sessions.begin([0; 32], value).unwrap());
        sessions.end(&ids[0]);
        assert!(!is_there(&sessions, &ids[0], now) && is_there(&sessions, &ids[1], now));
        assert!(!is_there(&sessions, &Id::random().unwrap(), now));
    }

    #[test]
    fn sessions_of_one_owner_push_out_only_each_other() {
        let sessions = Sessions::new(16);
        let now = Moment::now();
        let second = |seconds| now + Duration::from_secs(seconds);
        let other = Id::random().unwrap();
        sessions.begin_at(&other, [9; 32], 0_u8, now);
        let ids: Vec<_> = (0..20).map(|_| Id::random().unwrap()).collect();
        for (at, id) in (1..).zip(&ids) {
            sessions.begin_at(id, [1; 32], 0, second(at));
        }
        let is_left = |id: &Id| is_there(&sessions, id, second(30));
        assert!(is_left(&other));
        assert!(!ids[..4].iter().any(is_left) && ids[4..].iter().all(is_left));
    }

    #[test]
    fn table_is_bounded() {
        let sessions = Sessions::new(16);
        for owner in 0..5000_u16 {
            let [high, low] = owner.to_be_bytes();
            let mut of = [0; 32];
            (of[0], of[1]) = (high, low);
            sessions.begin(of, 0_u8).unwrap();
        }
        assert_eq!(sessions.table().len(), IN_ALL);
    }
}
