//! Who does the slow work, and how much of it at a time?

use std::{net::IpAddr, sync::Arc, thread::available_parallelism, time::Duration};

use tokio::runtime::Handle;

use super::line::{Full, Line, Permit};
use crate::error::{Error, ErrorKind};

/// Tokio's threads for blocking work, a bounded number of them.
#[derive(Clone)]
pub(super) struct Workers {
    pub(super) line: Arc<Line>,
    pub(super) retry_after: Duration,
}

/// How many wait for a permit, unless it is set.
const QUEUE: usize = 64;

impl Workers {
    pub(super) fn new() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            line: Line::new(cores, QUEUE),
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
        let (_, queue) = self.line.bounds();
        self.line = Line::new(at_a_time, queue);
    }

    pub(super) fn queue(&mut self, waiting: usize) {
        let (permits, _) = self.line.bounds();
        self.line = Line::new(permits, waiting);
    }

    /// Waits for a permit, in a queue that is bounded.
    pub(super) async fn permit(&self, origin: Option<IpAddr>) -> Result<Arc<Permit>, Error> {
        match self.line.permit(origin).await {
            Ok(permit) => Ok(Arc::new(permit)),
            Err(Full) => Err(self
                .unavailable()
                // Guesses of any peer fill the queue.
                .without_alarm()
                .caused_by("too many passwords are being verified")),
        }
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        permit: Arc<Permit>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let Ok(runtime) = Handle::try_current() else {
            return Err(Error::new(ErrorKind::ServerError)
                .caused_by("passwords are verified on the threads of a Tokio runtime"));
        };
        let task = runtime.spawn_blocking(move || {
            // The work goes on when nobody waits for it any more, and so does its permit.
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
