//! Carries out what the core of a node asks for.

mod commands;

use std::{
    collections::HashMap,
    future::{Future as _, pending, poll_fn},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::channel::oneshot;
use tokio::{
    sync::mpsc,
    task::yield_now,
    time::{Instant, sleep_until},
};

pub(super) use self::commands::Command;
use self::commands::Reply;
use super::{
    super::{LogError, LogErrorKind, Moment},
    core::{Action, Core, Event, NodeSettings},
    downstream::Downstream,
    engine::{Append, Cursor, Engine},
    kept::{Found, Kept},
    node::Node,
    observe::{self, Write},
    reading::Reading,
    requests::{Requests, hint, ready, within},
};

/// What time it is. A test moves it together with the timer of the runtime.
pub(super) type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// How often a node removes expired records from the log. Each node does.
const SWEEP_PERIOD: Duration = Duration::from_secs(600);

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
    /// Not empty once the process ends.
    closes: Vec<oneshot::Sender<Result<(), LogError>>>,
    reading: Reading,
    /// The incarnation in which the readers were complete.
    epoch: Option<u64>,
    /// The number of the next caller.
    next: u64,
}

/// What happens next in a driver.
enum Next {
    Command(Command),
    Event(Event),
    SweepIsDue,
    /// There is no handle, no caller that waits and no reader left.
    End,
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
                lost: Box::pin(pending()),
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
            closes: Vec::new(),
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
        self.requests.lost = kept.lost();
        self.kept = Some(kept);
        self
    }

    pub(super) async fn run(mut self) {
        while self.closes.is_empty() || !self.callers.is_empty() {
            let event = match poll_fn(|cx| self.poll_next(cx)).await {
                Next::Command(command) => {
                    if self.requests.append.is_none() {
                        // Callers that were answered together append again together. Without this,
                        // the first of them would go alone, and the others wait for it.
                        yield_now().await;
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
            self.handle(event);
        }
        let left = self.leave().await;
        for close in self.closes {
            // The caller may have dropped the future.
            let _ = close.send(left.clone());
        }
    }

    /// Takes the node off the list, so that others do not wait for it until its lease is over.
    async fn leave(&mut self) -> Result<(), LogError> {
        self.node.end();
        if self.downstream.as_ref().is_some_and(|those| those.end()) {
            // Others must wait for those that rely on this node.
            return Ok(());
        }
        // A report that arrives later would list the node again.
        if let Some(poll) = self.requests.poll.take() {
            let _ = poll.await;
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

    fn act(&mut self, action: Action) {
        let engine = self.engine.clone();
        match action {
            Action::Poll(mut ask) => {
                self.asked = ask.after;
                if let (Some(report), Some(those)) = (&mut ask.report, &self.downstream) {
                    report.applied = those.applied(report.healed, report.applied);
                }
                let patience = self.settings.poll_timeout();
                let poll = async move {
                    let asked = Instant::now();
                    let answered = within(patience, engine.poll(ask)).await;
                    observe::polled(asked.elapsed(), &answered);
                    answered
                };
                self.requests.poll = Some(Box::pin(poll));
            }
            Action::Begin(after) => {
                let patience = self.settings.poll_timeout();
                let begin = async move { within(patience, engine.begin(after)).await };
                self.requests.begin = Some(Box::pin(begin));
            }
            Action::Append(append) => {
                // The callers wait no longer.
                let patience = self.settings.append_timeout;
                let append = async move {
                    let given_back = if append.as_given { records(&append) } else { 0 };
                    let committed = within(patience, engine.append(append)).await;
                    if committed.is_ok() && given_back > 0 {
                        observe::gave_back(given_back);
                    }
                    committed
                };
                self.requests.append = Some(Box::pin(append));
            }
            Action::Reconnect => engine.reconnect(),
            Action::Recall(after) => {
                self.requests.recall = self.kept.as_ref().map(|kept| kept.recall(after));
            }
            Action::Read(records) => self.node.readers().read(&records),
            Action::Forgotten(expires) => self.node.readers().forgotten(expires),
            Action::Complete { position, asked } => {
                if self
                    .epoch
                    .replace(position.epoch)
                    .is_some_and(|epoch| epoch != position.epoch)
                {
                    observe::incarnation_began();
                }
                self.node.readers().complete_as_of(position, asked);
                if let Some(those) = &self.downstream {
                    those.complete(position, asked);
                }
                for follower in self.followers.drain(..) {
                    // The caller may have dropped the future.
                    let _ = follower.send(Ok(()));
                }
            }
            Action::Answer { id, result } => {
                if let Some((write, caller)) = self.callers.remove(&id) {
                    write.end(&result);
                    let _ = caller.send(result);
                }
            }
        }
    }

    fn sweep(&mut self) {
        let engine = self.engine.clone();
        let sweep = async move {
            if let Err(error) = engine.sweep().await {
                super::super::observe::periodic_task_failed("sweeping the log", &error);
            }
        };
        self.requests.sweep = Some(Box::pin(sweep));
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let requests = &mut self.requests;
        if let Some(result) = ready(&mut requests.append, cx) {
            return Poll::Ready(Next::Event(Event::Committed(result)));
        }
        if let Some(result) = ready(&mut requests.poll, cx) {
            return Poll::Ready(Next::Event(Event::Polled(result)));
        }
        if let Some(result) = ready(&mut requests.begin, cx) {
            return Poll::Ready(Next::Event(Event::Begun(result)));
        }
        if let Some(recalled) = ready(&mut requests.recall, cx) {
            return Poll::Ready(Next::Event(Event::Recalled(recalled)));
        }
        if let (Poll::Ready(incarnation), Some(kept)) =
            (requests.lost.as_mut().poll(cx), &self.kept)
        {
            requests.lost = kept.lost();
            return Poll::Ready(Next::Event(Event::Lost(incarnation)));
        }
        let _ = ready(&mut requests.sweep, cx);
        if requests.next_sweep.as_mut().poll(cx).is_ready() {
            let next = Instant::now() + SWEEP_PERIOD;
            requests.next_sweep.as_mut().reset(next);
            return Poll::Ready(Next::SweepIsDue);
        }
        if requests.hint.as_mut().poll(cx).is_ready() {
            requests.hint = hint(&self.engine);
            return Poll::Ready(Next::Event(Event::Hint));
        }
        if let (Poll::Ready(()), Some(those)) = (requests.grown.as_mut().poll(cx), &self.downstream)
        {
            requests.grown = those.grown();
            return Poll::Ready(Next::Event(Event::Report));
        }
        if requests.timer.as_mut().poll(cx).is_ready() {
            // The core sets the next time. Without one, there is nothing to wait for.
            let far = Instant::now() + SWEEP_PERIOD;
            requests.timer.as_mut().reset(far);
            return Poll::Ready(Next::Event(Event::Timer));
        }
        match self.commands.poll_recv(cx) {
            Poll::Ready(Some(command)) => Poll::Ready(Next::Command(command)),
            Poll::Ready(None) if self.callers.is_empty() && !self.node.readers().any() => {
                Poll::Ready(Next::End)
            }
            // Callers wait for an answer, and readers follow. Each answer and each timer comes by
            // here again.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

/// The error of what is asked of a log that has ended.
pub(super) fn ended() -> LogError {
    LogError::new(LogErrorKind::Closed)
        .caused_by("the log has ended: it was closed, or its runtime has ended")
}

fn records(append: &Append) -> usize {
    append.batches.iter().map(|batch| batch.records.len()).sum()
}
