//! Accepts connections, and ends them all.

use std::{convert::Infallible, sync::Arc, time::Duration};

use hyper::{
    Request, Response,
    body::{Body, Incoming},
};
use tower::{BoxError, Service};

use super::{
    Listener, Server,
    connection::Accepted,
    ending::{Phase, Phases},
    idle::Open,
    limits::{AnyPermit, Limits},
};
use crate::proxy::observe::refused_connection;

/// A listener, and what its connections share.
pub(super) struct Accepting {
    listener: Listener,
    limits: Limits,
    open: Open,
    phases: Phases,
    server: Arc<Server>,
}

/// How long connections may take to close after they were cut.
const CUT: Duration = Duration::from_secs(1);
/// The pause between two looks at idle connections while a new one waits.
const LOOK: Duration = Duration::from_millis(100);

impl Accepting {
    pub(super) fn new(server: Server, listener: Listener) -> Self {
        Self {
            listener,
            limits: Limits::new(server.max_connections, server.max_connections_per_address),
            open: Open::default(),
            phases: Phases::new(),
            server: Arc::new(server),
        }
    }

    /// Accepts connections, and spawns a task for each.
    pub(super) async fn accept<S, B>(&self, service: &S) -> Infallible
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        loop {
            let (socket, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    cannot_accept(&error);
                    // Perhaps there are no file descriptors left. Other connections may free some.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let permit = self.permit().await;
            let limited = peer.filter(|_| !self.server.is_trusted(peer));
            let Some(permit) = permit.of(limited.map(|peer| peer.ip())) else {
                refused_connection("address");
                continue;
            };
            let accepted = Accepted {
                server: self.server.clone(),
                peer,
                permit,
                ending: self.phases.ending(),
                open: self.open.clone(),
            };
            let service = service.clone();
            tokio::spawn(async move {
                if let Err(error) = accepted.serve(socket, service).await {
                    failed(&*error);
                }
            });
        }
    }

    /// Waits until there may be one more connection. Idle ones make room for it. Meanwhile, further
    /// connections wait in the queue of the system.
    async fn permit(&self) -> AnyPermit<'_> {
        let mut permit = std::pin::pin!(self.limits.permit());
        // The first look is at once.
        let mut pause = Duration::ZERO;
        loop {
            match tokio::time::timeout(pause, permit.as_mut()).await {
                Ok(permit) => return permit,
                Err(_) => self.open.make_room(),
            }
            pause = LOOK;
        }
    }

    /// Closes the listener, and ends the connections.
    pub(super) async fn stop(self, timeout: Duration) {
        let Self {
            listener, phases, ..
        } = self;
        drop(listener);
        phases.enter(Phase::Graceful);
        if tokio::time::timeout(timeout, phases.all_ended())
            .await
            .is_err()
        {
            phases.enter(Phase::Cut);
            // A task of somebody else may hold a connection.
            let _ = tokio::time::timeout(CUT, phases.all_ended()).await;
        }
    }
}

#[cfg(feature = "tracing")]
fn cannot_accept(error: &std::io::Error) {
    tracing::warn!(target: crate::observe::TARGET, %error, "cannot accept a connection");
}

#[cfg(not(feature = "tracing"))]
fn cannot_accept(_: &std::io::Error) {}

/// A connection has ended with an error. Its peer may be the cause, so this is no warning.
#[cfg(feature = "tracing")]
fn failed(error: &(dyn std::error::Error + 'static)) {
    use crate::{
        enforce::End,
        observe::{Causes, TARGET},
    };

    let mut chain = std::iter::successors(Some(error), |&error| error.source());
    if let Some(end) = chain.find_map(|error| error.downcast_ref::<End>()) {
        tracing::info!(target: TARGET, "cut a stream: {end}");
    } else {
        tracing::debug!(target: TARGET, cause = %Causes(error), "the connection failed");
    }
}

#[cfg(not(feature = "tracing"))]
fn failed(_: &(dyn std::error::Error + 'static)) {}
