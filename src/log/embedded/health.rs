//! The health of the log, set by the writing thread and read by all others.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::super::{LogError, LogErrorKind, LogHealth, observe};

#[derive(Debug, Default)]
pub(super) struct Health {
    health: Mutex<LogHealth>,
    /// The file is a copy for another log of this process. The series and events are those of that
    /// log.
    is_silent: bool,
}

impl Health {
    pub(super) fn new(is_silent: bool) -> Self {
        Self {
            health: Mutex::default(),
            is_silent,
        }
    }

    pub(super) fn is_silent(&self) -> bool {
        self.is_silent
    }

    pub(super) fn get(&self) -> LogHealth {
        self.health().clone()
    }

    /// Records that an append or an attempt to recover has failed. The next attempt follows after a
    /// pause.
    pub(super) fn fail(&self, cause: LogError, pause: Duration) {
        let now = Instant::now();
        let failing = {
            let mut health = self.health();
            let since = health.failing_since().unwrap_or(now);
            *health = LogHealth::failing(cause, since, now + pause);
            health.clone()
        };
        if !self.is_silent {
            observe::failed(&failing);
        }
    }

    pub(super) fn recover(&self) {
        let failed = std::mem::take(&mut *self.health());
        if !self.is_silent {
            observe::recovered(&failed);
        }
    }

    /// Says again whether the log is writable.
    pub(super) fn observe(&self) {
        if !self.is_silent {
            observe::writable(&self.health());
        }
    }

    /// A write was refused before it was tried.
    pub(super) fn refused(&self, reason: &'static str) {
        if !self.is_silent {
            observe::refused(reason);
        }
    }

    /// Returns the error of an append that is not tried, or `None` while the log is writable.
    pub(super) fn refusal(&self) -> Option<LogError> {
        self.health().error(LogErrorKind::Closed)
    }

    /// Returns the error of an append that was tried and has failed.
    pub(super) fn failure(&self) -> LogError {
        let health = self.health();
        let kind = match health.cause().map(LogError::kind) {
            // `Closed` is only for appends that were not tried.
            None | Some(LogErrorKind::Closed) => LogErrorKind::Storage,
            Some(kind) => kind,
        };
        health.error(kind).unwrap_or_else(|| LogError::new(kind))
    }

    fn health(&self) -> MutexGuard<'_, LogHealth> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
