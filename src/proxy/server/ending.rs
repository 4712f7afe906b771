//! How the connections of a server learn that it stops.

use tokio::sync::watch;

/// What the connections of a server may still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Serving,
    /// Responses in progress may end.
    Graceful,
    /// Nothing.
    Cut,
}

/// The phase of a server.
pub(super) struct Phases(watch::Sender<Phase>);

impl Phases {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Phase::Serving))
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.0.send_replace(phase);
    }

    /// A handle for one connection, which ends when the last clone is dropped.
    pub(super) fn ending(&self) -> Ending {
        Ending(Some(self.0.subscribe()))
    }

    /// Waits until no connection is left.
    pub(super) async fn all_ended(&self) {
        self.0.closed().await;
    }
}

/// Tells one connection when to end. The default never does.
#[derive(Clone, Debug, Default)]
pub(in crate::proxy) struct Ending(Option<watch::Receiver<Phase>>);

impl Ending {
    /// Waits until the server stops.
    pub(super) async fn stopping(&self) {
        self.wait_for(Phase::Graceful).await;
    }

    /// Waits until the connection has to end at once.
    pub(in crate::proxy) async fn cut(&self) {
        self.wait_for(Phase::Cut).await;
    }

    async fn wait_for(&self, phase: Phase) {
        match self.0.clone() {
            // Without its sender, the server has gone.
            Some(mut phases) => drop(phases.wait_for(|entered| *entered >= phase).await),
            None => std::future::pending().await,
        }
    }
}
