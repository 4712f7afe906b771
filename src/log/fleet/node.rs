//! What the handles of a log share with its driver.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    super::{LogError, LogErrorKind, LogHealth, observe, readers::Readers},
    core::Status,
    driver::ended,
    readiness::{Demands, UNREAD},
};

#[derive(Debug)]
pub(super) struct Node {
    demands: Demands,
    readers: Mutex<Readers>,
    health: Mutex<LogHealth>,
    status: Mutex<Option<Status>>,
    /// It only reads what another log of this process writes, and that log has the series and events.
    is_silent: bool,
    /// Nothing can be appended.
    is_read_only: bool,
}

impl Node {
    pub(super) fn new(demands: Demands, is_silent: bool, is_read_only: bool) -> Self {
        let unready = Some(UNREAD.to_owned());
        Self {
            demands,
            readers: Mutex::default(),
            health: Mutex::new(LogHealth::writable().with(unready, None)),
            status: Mutex::default(),
            is_silent,
            is_read_only,
        }
    }

    pub(super) fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn health(&self) -> LogHealth {
        self.locked().clone()
    }

    /// The node has ended.
    pub(super) fn end(&self) {
        self.readers().ended();
        *self.locked() = ended_health();
    }

    pub(super) fn status(&self) -> Option<Status> {
        let status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.clone()
    }

    /// Returns the error of an append that is not tried, because the engine does not answer. If it
    /// answers, and only appends fail, the next append shows whether they still do.
    pub(super) fn refusal(&self) -> Option<LogError> {
        let is_silent = |status: Status| status.reachable_for.is_none();
        let is_silent = self.status().is_some_and(is_silent);
        let error = self.locked().error(LogErrorKind::Unavailable);
        error.filter(|_| is_silent)
    }

    /// Takes over what the core says. A request that fails once is sent again soon, so the log fails
    /// only once requests have failed for as long as a caller would wait.
    pub(super) fn update(&self, status: Status, patience: Duration, warning: Option<Arc<str>>) {
        let now = Instant::now();
        let failing = status.failing.as_ref();
        let health = match failing.filter(|failing| failing.lasting >= patience) {
            None => LogHealth::writable(),
            Some(failing) => {
                let since = now.checked_sub(failing.lasting).unwrap_or(now);
                LogHealth::failing(failing.cause.clone(), since, now + failing.retry_in)
            }
        };
        let health = health.with(self.demands.unmet(&status), warning);
        if !self.is_silent {
            self.observe(&status);
        }
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
        let before = std::mem::replace(&mut *self.locked(), health.clone());
        if self.is_silent {
            return;
        }
        match (before.is_writable(), health.is_writable()) {
            (true, false) if self.is_read_only => observe::lost_contact(&health),
            (true, false) => observe::failed(&health),
            (false, true) if self.is_read_only => observe::found_contact(&before),
            (false, true) => observe::recovered(&before),
            _ => observe::writable(&health),
        }
    }

    fn observe(&self, status: &Status) {
        super::observe::members(&status.members);
        super::observe::clock(status.clock_offset);
        let is_off = self.demands.is_off(status.clock_offset);
        let was_off = self.status();
        let was_off = was_off.is_some_and(|before| self.demands.is_off(before.clock_offset));
        if is_off != was_off {
            super::observe::clock_changed(is_off, status.clock_offset);
        }
    }

    /// Whether the node has no series and events of its own.
    pub(super) fn is_silent(&self) -> bool {
        self.is_silent
    }

    fn locked(&self) -> MutexGuard<'_, LogHealth> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a log says of itself once it has ended.
pub(super) fn ended_health() -> LogHealth {
    let now = Instant::now();
    LogHealth::failing(ended(), now, now).with(Some("the log has ended".to_owned()), None)
}
