//! Runs the slow work on threads, a limited number at a time.

use std::{net::IpAddr, sync::Arc, thread::available_parallelism, time::Duration};

use tokio::runtime::Handle;

use super::fair_queue::{FairQueue, Full, Permit};
use crate::error::{Error, ErrorKind};

/// A limited number of Tokio's threads for blocking work.
#[derive(Clone)]
pub(super) struct Workers {
    pub(super) fair_queue: Arc<FairQueue>,
    pub(super) retry_after: Duration,
}

/// The default length of the queue.
const QUEUE: usize = 64;

impl Workers {
    pub(super) fn new() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            fair_queue: FairQueue::new(cores, QUEUE),
            retry_after: Duration::from_secs(1),
        }
    }

    /// # Panics
    ///
    /// Panics if it is zero.
    pub(super) fn limit(&mut self, at_a_time: usize) {
        assert!(at_a_time > 0, "the number of permits is zero");
        let (_, queue) = self.fair_queue.bounds();
        self.fair_queue = FairQueue::new(at_a_time, queue);
    }

    pub(super) fn queue(&mut self, waiting: usize) {
        let (permits, _) = self.fair_queue.bounds();
        self.fair_queue = FairQueue::new(permits, waiting);
    }

    /// Waits for a permit in a bounded queue.
    pub(super) async fn permit(&self, origin: Option<IpAddr>) -> Result<Arc<Permit>, Error> {
        match self.fair_queue.permit(origin).await {
            Ok(permit) => Ok(Arc::new(permit)),
            Err(Full) => Err(self
                .unavailable()
                // Any peer can fill the queue with guesses.
                .without_alarm()
                .caused_by("too many passwords are waiting to be verified")),
        }
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        permit: Arc<Permit>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let Ok(runtime) = Handle::try_current() else {
            return Err(Error::new(ErrorKind::ServerError)
                .caused_by("verifying passwords needs a Tokio runtime"));
        };
        let task = runtime.spawn_blocking(move || {
            // The work continues if the future is dropped, and keeps its permit.
            let _permit = permit;
            work()
        });
        task.await
            .map_err(|error| self.unavailable().caused_by(error))
    }

    pub(super) fn unavailable(&self) -> Error {
        Error::new(ErrorKind::Unavailable).retry_after(self.retry_after)
    }
}
