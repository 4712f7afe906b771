//! Connections on which nothing is asked for.

use std::{pin::pin, sync::Arc, time::Duration};

use hyper_util::server::graceful::GracefulConnection;
use tokio::{sync::watch, time::timeout};

/// How long a connection may be without a request on it, and how long the head of one may take.
pub(crate) const IDLE: Duration = Duration::from_secs(10);

/// The requests of one connection that are under way.
#[derive(Clone)]
pub(crate) struct Requests(Arc<watch::Sender<usize>>);

impl Requests {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// Another one, until it is dropped.
    pub(crate) fn begin(&self) -> InFlight {
        self.0.send_modify(|requests| *requests += 1);
        InFlight(self.0.clone())
    }

    /// Serves the connection until it ends, or is idle for too long.
    pub(crate) async fn serve<C: GracefulConnection>(&self, connection: C) -> Result<(), C::Error> {
        let mut connection = pin!(connection);
        tokio::select! {
            ended = &mut connection => return ended,
            () = self.idle() => {}
        }
        connection.as_mut().graceful_shutdown();
        // A peer that is gone does not say goodbye.
        timeout(IDLE, connection).await.unwrap_or(Ok(()))
    }

    async fn idle(&self) {
        let mut requests = self.0.subscribe();
        // There is a sender as long as this waits.
        while requests.wait_for(|requests| *requests == 0).await.is_ok() {
            if timeout(IDLE, requests.changed()).await.is_err() {
                return;
            }
        }
    }
}

/// One of the [`Requests`].
pub(crate) struct InFlight(Arc<watch::Sender<usize>>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.send_modify(|requests| *requests -= 1);
    }
}
