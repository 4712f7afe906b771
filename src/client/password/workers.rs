//! Who does the slow work, and how much of it at a time?

use std::{sync::Arc, thread::available_parallelism, time::Duration};

use tokio::{runtime::Handle, sync::Semaphore};

use crate::endpoint::{Error, ErrorKind};

/// Tokio's threads for blocking work, a bounded number of them.
#[derive(Clone)]
pub(super) struct Workers {
    pub(super) permits: Arc<Semaphore>,
    pub(super) retry_after: Duration,
}

impl Workers {
    pub(super) fn new() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            permits: permits(cores),
            retry_after: Duration::from_secs(1),
        }
    }

    /// # Panics
    ///
    /// If it is zero.
    pub(super) fn limit(&mut self, at_a_time: usize) {
        assert!(
            at_a_time > 0,
            "without a permit no password is ever verified"
        );
        self.permits = permits(at_a_time);
    }

    /// Does it now or not at all: waiting would be a queue that whoever sends guesses makes longer.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return Err(self
                .unavailable()
                .with_source("too many passwords are being verified"));
        };
        let Ok(runtime) = Handle::try_current() else {
            return Err(Error::new(ErrorKind::ServerError)
                .with_source("passwords are verified on the threads of a Tokio runtime"));
        };
        let task = runtime.spawn_blocking(move || {
            // The work goes on when nobody waits for it any more, and so does its permit.
            let _permit = permit;
            work()
        });
        task.await
            .map_err(|error| self.unavailable().with_source(error))
    }

    pub(super) fn unavailable(&self) -> Error {
        Error::new(ErrorKind::Unavailable).with_retry_after(self.retry_after)
    }
}

fn permits(at_a_time: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(at_a_time.min(Semaphore::MAX_PERMITS)))
}
