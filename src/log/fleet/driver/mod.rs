//! Carries out what the core of a node asks for.

mod act;
mod closing;
mod commands;
mod next;

use std::{
    collections::HashMap,
    future::{pending, poll_fn},
    sync::Arc,
    time::Duration,
};

use futures::channel::oneshot;
use tokio::{
    sync::mpsc,
    task::yield_now,
    time::{Instant, sleep_until},
};

pub(super) use self::commands::Command;
use self::{closing::Closing, commands::Reply, next::Next};
use super::{
    super::{LogError, LogErrorKind, Moment},
    core::{Core, Event, NodeSettings, with_drift},
    downstream::Downstream,
    engine::{Cursor, Engine, History, Page},
    kept::{Found, Kept},
    node::Node,
    observe::Write,
    reading::Reading,
    requests::{Requests, hint, within},
};

/// What time it is. A test moves it together with the timer of the runtime.
pub(super) type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// How often a node removes expired records from the log. Each node does.
const SWEEP_PERIOD: Duration = Duration::from_secs(600);

/// The driver waits for more callers until this many wait, and not longer than this.
const TOGETHER: usize = 256;
const GATHERING: Duration = Duration::from_millis(1);

/// Runs until the last handle and the last reader are dropped, and what was appended before has been
/// answered.
pub(super) struct Driver<E> {
    core: Core,
    clock: Clock,
    engine: Arc<E>,
    node: Arc<Node>,
    downstream: Option<Arc<dyn Downstream>>,
    kept: Option<Arc<dyn Kept>>,
    /// The cursor of the poll in flight.
    asked: Cursor,
    commands: mpsc::Receiver<Command>,
    settings: NodeSettings,
    requests: Requests,
    callers: HashMap<u64, (Write, Reply)>,
    followers: Vec<oneshot::Sender<Result<(), LogError>>>,
    closing: Closing,
    reading: Reading,
    /// The incarnation in which the readers were complete.
    epoch: Option<u64>,
    /// The number of the next caller.
    next: u64,
}

impl<E: Engine> Driver<E> {
    pub(super) fn new(
        engine: Arc<E>,
        node: Arc<Node>,
        commands: mpsc::Receiver<Command>,
        settings: NodeSettings,
        clock: Clock,
    ) -> Self {
        let now = Instant::now();
        // Nodes that were started together do not sweep together.
        let place = u32::from(settings.seed.to_le_bytes()[0]);
        let first_sweep = SWEEP_PERIOD / 2 + SWEEP_PERIOD / 256 * place;
        Self {
            core: Core::new(&settings, clock()),
            clock,
            requests: Requests {
                poll: None,
                begin: None,
                append: None,
                sweep: None,
                recall: None,
                doubt: Box::pin(pending()),
                hint: hint(&engine),
                grown: Box::pin(pending()),
                timer: Box::pin(sleep_until(now)),
                next_sweep: Box::pin(sleep_until(now + first_sweep)),
            },
            engine,
            node,
            downstream: None,
            kept: None,
            asked: Cursor::default(),
            commands,
            settings,
            callers: HashMap::new(),
            followers: Vec::new(),
            closing: Closing::default(),
            reading: Reading::default(),
            epoch: None,
            next: 0,
        }
    }

    /// Others can follow this node.
    #[cfg(feature = "feed")]
    pub(super) fn serve(mut self, downstream: Arc<dyn Downstream>) -> Self {
        self.requests.grown = downstream.grown();
        self.downstream = Some(downstream);
        self
    }

    #[cfg(test)]
    pub(super) fn remember_at_most(mut self, records: Option<usize>) -> Self {
        if let Some(records) = records {
            self.core.remember_at_most(records);
        }
        self
    }

    /// The node has a copy of the log on its disk.
    pub(super) fn keep(mut self, kept: Arc<dyn Kept>, found: Found) -> Self {
        self.core.resume(found);
        self.requests.doubt = kept.doubt();
        self.kept = Some(kept);
        self
    }

    pub(super) async fn run(mut self) {
        while !self.may_end() {
            let event = match poll_fn(|cx| self.poll_next(cx)).await {
                Next::Command(command) => {
                    if self.requests.append.is_none() {
                        self.gather().await;
                    }
                    self.take(command);
                    continue;
                }
                Next::Event(event) => event,
                Next::SweepIsDue => {
                    self.sweep();
                    continue;
                }
                Next::End => break,
            };
            let may_append_again = matches!(event, Event::Committed(Ok(_)));
            self.handle(event);
            if may_append_again {
                self.gather().await;
                match self.commands.try_recv() {
                    Ok(command) => self.take(command),
                    Err(_) => self.handle(Event::Timer),
                }
            }
        }
        let left = self.leave().await;
        self.closing.end(&left);
    }

    /// Lets the callers that were answered together append again together. Without this, the first of
    /// them would go alone, and the others would wait for it.
    async fn gather(&mut self) {
        let (begun, mut before) = (Instant::now(), None);
        // Each command wakes the driver, so one turn is not enough. But commands can come all the time.
        while self.commands.len() < TOGETHER
            && begun.elapsed() < GATHERING
            && before.replace(self.commands.len()) != Some(self.commands.len())
        {
            yield_now().await;
        }
    }

    /// Whether the process ends, and this node has nothing left to do.
    fn may_end(&self) -> bool {
        // A node that was never complete has no memory.
        let has_memory = self.epoch.is_some();
        let is_whole = self.core.whole().is_some();
        let limit = with_drift(self.settings.lease);
        self.closing.has_begun()
            && self.callers.is_empty()
            && (!has_memory || self.closing.is_done(is_whole, limit))
    }

    /// Takes the node off the list, so that others do not wait for it until its lease is over. Not if they
    /// have to: if the log may lack what this node remembers.
    async fn leave(&mut self) -> Result<(), LogError> {
        self.node.end();
        let is_relied_on = self.downstream.as_ref().is_some_and(|those| those.end());
        if let Some(error) = self.closing.failed() {
            return Err(error.clone());
        }
        let may_lack_something = self.epoch.is_some() && self.core.whole().is_none();
        if is_relied_on || may_lack_something {
            // Others must wait, until the leases of those that rely on this node have ended too.
            return Ok(());
        }
        // A report that arrives later would list the node again.
        if let Some(poll) = self.requests.poll.take() {
            let before = self.core.whole();
            let shows_loss = |page: &Page| {
                page.history == History::Other || before.is_some_and(|it| it != page.incarnation)
            };
            if poll.await.is_ok_and(|page| shows_loss(&page)) {
                return Ok(());
            }
        }
        let patience = self.settings.poll_timeout();
        within(patience, self.engine.leave(self.core.member())).await
    }

    fn handle(&mut self, event: Event) {
        if let Event::Polled(Err(error)) = &event {
            // Who waits for the whole log can decide whether to ask again.
            for follower in self.followers.drain(..) {
                let _ = follower.send(Err(error.clone()));
            }
        }
        let polled = match &event {
            Event::Polled(answered) => Some(answered.as_ref().err().cloned()),
            _ => None,
        };
        if let (Event::Polled(Ok(page)), Some(those)) = (&event, &self.downstream) {
            those.polled(self.asked, page);
        }
        if let (Event::Polled(Ok(page)), false) = (&event, self.node.is_silent()) {
            self.reading.page(page.records.len());
        }
        let now = (self.clock)();
        for action in self.core.on_event(now, event) {
            self.act(action);
        }
        if let Some(error) = polled {
            self.closing.answered(error, self.core.looked());
        }
        if let Some(at) = self.core.wake_at() {
            let deadline = Instant::now() + at.since(now);
            self.requests.timer.as_mut().reset(deadline);
        }
        let patience = self.settings.append_timeout;
        let status = self.core.status(now);
        if !self.node.is_silent() {
            self.reading.update(status.reading);
        }
        let mut warning = None;
        if let Some(kept) = &self.kept {
            kept.seen(self.core.whole(), self.core.cursor().sequence);
            warning = kept.problem();
        }
        self.node.update(status, patience, warning);
    }
}

/// The error of what is asked of a log that has ended.
pub(super) fn ended() -> LogError {
    LogError::new(LogErrorKind::Closed)
        .caused_by("the log has ended: it was closed, or its runtime has ended")
}
