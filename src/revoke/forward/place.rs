//! How many revocations are under way at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{Error, ErrorKind};

/// A bounded number of places. Clones share them.
#[derive(Clone)]
pub(super) struct Places {
    taken: Arc<AtomicUsize>,
    limit: usize,
}

/// A place, until it is dropped.
pub(super) struct Place(Arc<AtomicUsize>);

impl Places {
    /// # Panics
    ///
    /// If it is zero.
    pub(super) fn new(limit: usize) -> Self {
        assert!(limit > 0, "without a place nothing is ever forwarded");
        Self {
            taken: Arc::default(),
            limit,
        }
    }

    /// # Errors
    ///
    /// `Unavailable`, if all are taken. Clients that go away bring it about, so it is no alarm.
    pub(super) fn take(&self) -> Result<Place, Error> {
        let more = |taken| (taken < self.limit).then_some(taken + 1);
        let taken = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        match taken {
            Ok(_) => Ok(Place(Arc::clone(&self.taken))),
            Err(_) => Err(Error::new(ErrorKind::Unavailable)
                .retry_after(Duration::from_secs(1))
                .without_alarm()
                .caused_by("too many revocations are being forwarded")),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
