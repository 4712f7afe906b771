//! How many revocations can be forwarded at once?

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::error::{Error, ErrorKind};

/// A limited number of slots. Clones share them.
#[derive(Clone)]
pub(super) struct Slots {
    taken: Arc<AtomicUsize>,
    limit: usize,
}

/// A slot, which is free again when this is dropped.
pub(super) struct Slot(Arc<AtomicUsize>);

impl Slots {
    /// # Panics
    ///
    /// Panics if `limit` is zero.
    pub(super) fn new(limit: usize) -> Self {
        assert!(limit > 0, "a limit of zero forwards nothing");
        Self {
            taken: Arc::default(),
            limit,
        }
    }

    /// # Errors
    ///
    /// Fails with `Unavailable` if no slot is free. That is not an alarm, because clients that
    /// disconnect can cause it.
    pub(super) fn take(&self) -> Result<Slot, Error> {
        let more = |taken| (taken < self.limit).then_some(taken + 1);
        let taken = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        match taken {
            Ok(_) => Ok(Slot(Arc::clone(&self.taken))),
            Err(_) => Err(Error::new(ErrorKind::Unavailable)
                .retry_after(Duration::from_secs(1))
                .without_alarm()
                .caused_by("too many revocations are being forwarded")),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
