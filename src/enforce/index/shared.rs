//! What the log, the clock and the readers of an index share.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::kept::Kept;
#[cfg(feature = "metrics")]
use crate::enforce::gauges::{Gauges, WatchedHere};
use crate::{
    enforce::{
        clock,
        freshness::{Freshness, LastContact},
        life::Records,
        table::Table,
        watch::{End, Watch, Watchers},
    },
    introspect::Introspection,
    log::{
        LogError, LogErrorKind, Moment, NumericDate, Position, Reader, Revocation, Selector,
        SelectorClass,
    },
};

pub(super) struct Shared {
    pub(super) table: Table,
    pub(super) watchers: Arc<Watchers>,
    pub(super) last_contact: Arc<LastContact>,
    has_clock: AtomicBool,
    /// Whether there is a log to follow. If not, nothing is ever missing.
    has_log: bool,
    #[cfg(feature = "metrics")]
    watched: WatchedHere,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            table: Table::new(),
            watchers: Arc::default(),
            last_contact: Arc::new(LastContact::new()),
            has_clock: AtomicBool::new(false),
            has_log: true,
            #[cfg(feature = "metrics")]
            watched: WatchedHere::default(),
        }
    }

    pub(super) fn without_log() -> Self {
        Self {
            has_log: false,
            ..Self::new()
        }
    }

    pub(super) fn freshness(&self) -> Freshness {
        if self.has_log {
            self.last_contact.freshness()
        } else {
            Freshness::Fresh
        }
    }

    /// Starts the clock, unless it runs already. It stops when this is dropped.
    pub(super) fn start_clock(self: &Arc<Self>) -> Result<(), LogError> {
        if self.has_clock.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let weak = Arc::downgrade(self);
        let started = clock::start(move |tick| {
            let Some(shared) = weak.upgrade() else {
                return ControlFlow::Break(());
            };
            shared.on_tick(tick);
            ControlFlow::Continue(())
        });
        started.map_err(|cause| {
            self.has_clock.store(false, Ordering::Relaxed);
            LogError::new(LogErrorKind::Storage).caused_by(cause)
        })
    }

    fn on_tick(&self, tick: &clock::Tick) {
        self.watchers.expired(tick.now);
        if let Some(now) = tick.sweep {
            self.table.sweep(now);
        }
        #[cfg(feature = "metrics")]
        Gauges {
            records: self.has_log.then(|| self.table.len()),
            watched: self.watched.update(self.watchers.len()),
            silence: self.last_contact.silence(),
            applied: self.last_contact.applied(),
        }
        .set();
    }

    /// The class of the record that covers the token.
    pub(super) fn revoked_by(&self, token: &Introspection) -> Option<SelectorClass> {
        match Kept::new(&self.table, token) {
            Some(kept) => kept.revoked_by(),
            None => self.looked_up(token),
        }
    }

    /// Whether a record of the token may have been forgotten. Call [`revoked_by`](Self::revoked_by)
    /// first.
    pub(super) fn may_have_forgotten(&self, token: &Introspection, now: NumericDate) -> bool {
        match token.exp {
            // A record expires no earlier than the tokens that it covers.
            Some(exp) => self.table.may_have_forgotten(exp),
            // Any record that has not expired yet may have covered it.
            None => self.table.may_have_forgotten(now + Duration::from_secs(1)),
        }
    }

    fn looked_up(&self, token: &Introspection) -> Option<SelectorClass> {
        let mut classes = SelectorClass::ALL.iter().copied();
        // A selector is a digest. Where no record is of a class, no selector of it is computed.
        classes.find(|class| {
            let covers =
                |selector: Selector| self.table.covers(self.table.tag(&selector), token.iat);
            self.table.has(*class) && token.selectors_of(*class).any(covers)
        })
    }
}

impl Records for Shared {
    fn end_of(&self, token: &Introspection) -> Option<End> {
        match self.revoked_by(token) {
            None if !token.revoked => {}
            class => return Some(End::Revoked(class)),
        }
        let now = NumericDate::now();
        if token.is_expired(now) {
            return Some(End::Expired);
        }
        self.may_have_forgotten(token, now).then_some(End::Unknown)
    }

    fn watch(&self, token: &Introspection) -> Watch {
        if let Some(kept) = Kept::new(&self.table, token) {
            return self.watchers.watch(kept.tags(), token.iat, token.exp);
        }
        let tags = token.selectors().map(|selector| self.table.tag(&selector));
        self.watchers.watch(tags, token.iat, token.exp)
    }
}

impl Reader for Shared {
    fn read(&self, records: &[Revocation]) {
        for record in records {
            self.table.merge(record);
        }
        // Only now: a watch that starts after this check finds the records in the table.
        if !self.watchers.is_empty() {
            for record in records {
                let tag = self.table.tag(&record.selector());
                self.watchers.revoked(tag, record.not_before());
            }
        }
        self.last_contact.read();
    }

    fn complete(&self, position: Position, asked: Moment) {
        self.last_contact.complete(position, asked);
    }

    fn forgotten(&self, expires: NumericDate) {
        self.table.has_forgotten(expires);
    }

    fn ended(&self) {
        self.last_contact.ended();
    }

    fn reserve(&self, records: usize) {
        self.table.reserve(records);
    }
}
