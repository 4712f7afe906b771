//! How often may somebody try to sign in?

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::log::Moment;

const WINDOW: Duration = Duration::from_secs(60);
/// The limit of failures within the window, of one address and of all.
const PER_ADDRESS: u32 = 10;
const IN_ALL: u32 = 1000;

/// Failed attempts of the current minute.
pub(in super::super) struct Attempts(Mutex<State>);

struct State {
    begun: Moment,
    in_all: u32,
    /// At most `IN_ALL`, because each has a failure.
    by_address: HashMap<Option<IpAddr>, u32>,
}

impl Attempts {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            begun: Moment::now(),
            in_all: 0,
            by_address: HashMap::new(),
        }))
    }

    /// Counts an attempt as failed, until it [succeeds](Self::succeeded). So concurrent guesses are as
    /// limited as sequential ones.
    ///
    /// # Errors
    ///
    /// Fails with the seconds to wait after too many failures.
    pub(in super::super) fn begin(&self, address: Option<IpAddr>) -> Result<(), u64> {
        self.begin_at(address, Moment::now())
    }

    fn begin_at(&self, address: Option<IpAddr>, now: Moment) -> Result<(), u64> {
        let mut state = self.state();
        if now.since(state.begun) >= WINDOW {
            *state = State {
                begun: now,
                in_all: 0,
                by_address: HashMap::new(),
            };
        }
        let of_address = state.by_address.get(&address).copied().unwrap_or(0);
        if of_address >= PER_ADDRESS || state.in_all >= IN_ALL {
            let rest = WINDOW.saturating_sub(now.since(state.begun));
            return Err(rest.as_secs().max(1));
        }
        state.in_all += 1;
        state.by_address.insert(address, of_address + 1);
        Ok(())
    }

    /// An attempt of this address was no failure.
    pub(in super::super) fn succeeded(&self, address: Option<IpAddr>) {
        let mut state = self.state();
        // The window may have ended meanwhile.
        state.in_all = state.in_all.saturating_sub(1);
        if let Some(failures) = state.by_address.get_mut(&address) {
            *failures = failures.saturating_sub(1);
            if *failures == 0 {
                state.by_address.remove(&address);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u32) -> IpAddr {
        IpAddr::from(last.to_be_bytes())
    }

    #[test]
    fn failures_are_limited_for_an_address_and_in_all() {
        let attempts = Attempts::new();
        let now = Moment::now();
        let begin = |from, now| attempts.begin_at(Some(address(from)), now);
        for _ in 0..100 {
            begin(0, now).unwrap();
            attempts.succeeded(Some(address(0)));
        }
        for _ in 0..PER_ADDRESS {
            begin(1, now).unwrap();
        }
        assert!(begin(1, now).is_err_and(|wait| wait <= 60));
        begin(2, now).unwrap();
        for other in 3..1000 {
            let _ = begin(other, now);
        }
        assert!(begin(2000, now).is_err());
        let later = now + WINDOW + Duration::from_secs(1);
        begin(1, later).unwrap();
        begin(2000, later).unwrap();
    }
}
