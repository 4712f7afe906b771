//! Closes idle connections.

use std::{pin::pin, sync::Arc, time::Duration};

use hyper_util::server::graceful::GracefulConnection;
use tokio::{sync::watch, time::timeout};

/// The time-out for an idle connection, and for the head of a request.
pub(crate) const IDLE: Duration = Duration::from_secs(10);

/// Counts the requests in flight on one connection.
#[derive(Clone)]
pub(crate) struct Requests(Arc<watch::Sender<usize>>);

impl Requests {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// Counts one more request, until the value is dropped.
    pub(crate) fn begin(&self) -> InFlight {
        self.0.send_modify(|requests| *requests += 1);
        InFlight(self.0.clone())
    }

    /// Serves the connection until it ends or is idle for too long.
    pub(crate) async fn serve<C: GracefulConnection>(&self, connection: C) -> Result<(), C::Error> {
        let mut connection = pin!(connection);
        tokio::select! {
            ended = &mut connection => return ended,
            () = self.idle() => {}
        }
        connection.as_mut().graceful_shutdown();
        // A peer that has disappeared does not close the connection.
        timeout(IDLE, connection).await.unwrap_or(Ok(()))
    }

    async fn idle(&self) {
        let mut requests = self.0.subscribe();
        // `self` holds the sender, so `wait_for` does not fail.
        while requests.wait_for(|requests| *requests == 0).await.is_ok() {
            if timeout(IDLE, requests.changed()).await.is_err() {
                return;
            }
        }
    }
}

/// One request of [`Requests`].
pub(crate) struct InFlight(Arc<watch::Sender<usize>>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.send_modify(|requests| *requests -= 1);
    }
}
