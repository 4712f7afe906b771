//! The signals of the process.

use std::{
    io,
    time::{Duration, Instant},
};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that the process handles. From now on they do not end it by themselves.
pub(crate) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

/// Signals that follow each other this soon are one.
const AT_ONCE: Duration = Duration::from_millis(500);

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Read the configuration again.
    Reload,
    /// End, and give others time to notice.
    Stop,
    /// End. Somebody waits at a terminal.
    StopSoon,
}

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one signal.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.hangup.recv() => Asked::Reload,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::StopSoon,
        }
    }

    /// Waits for another signal to end, after the first one. Two at once are one: a shell and what
    /// it runs under may both send it.
    pub(crate) async fn again(&mut self) {
        let first = Instant::now();
        loop {
            self.stop().await;
            if first.elapsed() > AT_ONCE {
                return;
            }
        }
    }

    /// Waits for a signal to end.
    pub(crate) async fn stop(&mut self) -> Asked {
        loop {
            match self.next().await {
                Asked::Reload => {}
                asked => return asked,
            }
        }
    }
}
