//! The health of the log, between the thread that writes and all others.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::super::{LogError, LogErrorKind, LogHealth, observe};
use crate::error::{Error, ErrorKind};

#[derive(Debug, Default)]
pub(super) struct Health(Mutex<LogHealth>);

impl Health {
    pub(super) fn get(&self) -> LogHealth {
        self.health().clone()
    }

    /// An append or an attempt to recover has failed. The next attempt comes after a pause.
    pub(super) fn fail(&self, cause: LogError, pause: Duration) {
        let now = Instant::now();
        let failing = {
            let mut health = self.health();
            let since = health.failing_since().unwrap_or(now);
            *health = LogHealth::failing(cause, since, now + pause);
            health.clone()
        };
        observe::failed(&failing);
    }

    pub(super) fn recover(&self) {
        let failed = std::mem::take(&mut *self.health());
        observe::recovered(&failed);
    }

    /// What an append hears that is not tried. None while the log is writable.
    pub(super) fn refusal(&self) -> Option<LogError> {
        error(&self.health(), LogErrorKind::Closed)
    }

    /// What an append hears that was tried, and has failed.
    pub(super) fn failure(&self) -> LogError {
        let health = self.health();
        let kind = match health.cause().map(LogError::kind) {
            // What was not tried hears this, and only that.
            None | Some(LogErrorKind::Closed) => LogErrorKind::Storage,
            Some(kind) => kind,
        };
        error(&health, kind).unwrap_or_else(|| LogError::new(kind))
    }

    fn health(&self) -> MutexGuard<'_, LogHealth> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// With the answer for the peer in its chain of sources: when to try again.
fn error(health: &LogHealth, kind: LogErrorKind) -> Option<LogError> {
    // An attempt that is under way takes time.
    let again = health.retry_after()?.max(Duration::from_secs(1));
    let told = Error::new(ErrorKind::Unavailable)
        .retry_after(again)
        .caused_by(health.cause()?.clone());
    Some(LogError::new(kind).caused_by(told))
}
