//! How many requests may one caller send?

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{Caller, problem::Refusal};

/// The time for which requests are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// Limits the requests of each caller. Clones count together.
#[derive(Clone)]
pub(super) struct Pace {
    per_minute: u32,
    /// Until when each caller has used up its share. There are as many callers as operators.
    used: Arc<Mutex<HashMap<Arc<str>, Instant>>>,
}

impl Pace {
    pub(super) fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            used: Arc::default(),
        }
    }

    /// Counts `requests` of a caller. More than all of a minute count as all of them.
    ///
    /// # Errors
    ///
    /// Fails with the time after which there is room again.
    pub(super) fn take(&self, caller: &Caller, requests: u32, now: Instant) -> Result<(), Refusal> {
        let cost = WINDOW / self.per_minute * requests.min(self.per_minute);
        // Nothing panics while it holds the lock.
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let until = used.entry(caller.name.clone()).or_insert(now);
        let next = (*until).max(now) + cost;
        match next.saturating_duration_since(now).checked_sub(WINDOW) {
            Some(wait) if !wait.is_zero() => Err(Refusal::TooMany(wait.as_secs() + 1)),
            _ => {
                *until = next;
                Ok(())
            }
        }
    }

    /// Counts `more` requests in one that was counted as one.
    ///
    /// # Errors
    ///
    /// Fails with the time after which there is room again.
    pub(super) fn take_more(
        &self,
        caller: &Caller,
        more: u32,
        now: Instant,
    ) -> Result<(), Refusal> {
        self.take(caller, more.min(self.per_minute - 1), now)
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(6000)
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace")
            .field("per_minute", &self.per_minute)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Role, *};

    fn caller(name: &str) -> Caller {
        Caller {
            name: name.into(),
            role: Role::Viewer,
        }
    }

    #[test]
    fn caller_has_its_own_share_of_each_minute() {
        let (pace, now) = (Pace::new(3), Instant::now());
        let [ann, bob] = [caller("ann"), caller("bob")];
        for _ in 0..3 {
            assert_eq!(pace.take(&ann, 1, now), Ok(()));
        }
        assert_eq!(pace.take(&ann, 1, now), Err(Refusal::TooMany(21)));
        assert_eq!(pace.clone().take(&bob, 3, now), Ok(()));
        let later = now + Duration::from_secs(20);
        assert_eq!(pace.take(&ann, 1, later), Ok(()));
        assert_eq!(pace.take(&ann, 1, later), Err(Refusal::TooMany(21)));
        // What was refused is not counted.
        let a_minute_later = later + WINDOW;
        assert_eq!(pace.take(&ann, 3, a_minute_later), Ok(()));
    }

    #[test]
    fn large_request_that_was_counted_as_one_has_room_in_an_idle_minute() {
        let (pace, now) = (Pace::new(3), Instant::now());
        let ann = caller("ann");
        assert_eq!(pace.take(&ann, 1, now), Ok(()));
        assert_eq!(pace.take_more(&ann, 999, now), Ok(()));
        assert_eq!(pace.take(&ann, 1, now), Err(Refusal::TooMany(21)));
        assert_eq!(pace.take_more(&ann, 0, now), Ok(()));
    }

    #[test]
    fn request_that_is_larger_than_a_share_takes_all_of_it() {
        let (pace, now) = (Pace::new(3), Instant::now());
        let ann = caller("ann");
        assert_eq!(pace.take(&ann, 1000, now), Ok(()));
        assert_eq!(pace.take(&ann, 1, now), Err(Refusal::TooMany(21)));
    }
}
