//! Says whose connections to a Unix socket are refused, at most once a minute.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::proxy::observe::refused_user;

/// Any user who can open the socket can cause a line.
const PAUSE: Duration = Duration::from_secs(60);

/// The connections of other users.
#[derive(Debug, Default)]
pub(super) struct RefusedUsers(Mutex<Since>);

/// Since the last line.
#[derive(Debug, Default)]
struct Since {
    said: Option<Instant>,
    connections: u64,
}

impl RefusedUsers {
    /// A connection of this user was refused. `None`: the system does not know the user.
    pub(super) fn note(&self, user: Option<u32>) {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused_user(user, since.count(Instant::now()));
    }
}

impl Since {
    /// The connections since the last line, with this one. `None` if it is too early for a line.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.connections = self.connections.saturating_add(1);
        if self.said.is_some_and(|said| now < said + PAUSE) {
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.connections))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_comes_once_a_minute_with_the_number_of_connections() {
        let mut since = Since::default();
        let begun = Instant::now();
        let mut after = |seconds| since.count(begun + Duration::from_secs(seconds));
        assert_eq!(after(0), Some(1));
        assert_eq!((after(0), after(59)), (None, None));
        assert_eq!(after(60), Some(3));
        assert_eq!(after(119), None);
        assert_eq!(after(300), Some(2));
    }
}
