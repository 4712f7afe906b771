//! Requests to the engine, news for the readers, and answers for callers.

use tokio::time::Instant;

use super::{
    super::{
        core::Action,
        engine::{Append, Engine},
        observe,
        requests::within,
    },
    Driver,
};

impl<E: Engine> Driver<E> {
    pub(super) fn act(&mut self, action: Action) {
        let engine = self.engine.clone();
        match action {
            Action::Poll(mut ask) => {
                self.asked = ask.after;
                self.closing.asked(self.core.polls());
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

    pub(super) fn sweep(&mut self) {
        let engine = self.engine.clone();
        let sweep = async move {
            if let Err(error) = engine.sweep().await {
                super::super::super::observe::periodic_task_failed("sweeping the log", &error);
            }
        };
        self.requests.sweep = Some(Box::pin(sweep));
    }
}

fn records(append: &Append) -> usize {
    append.batches.iter().map(|batch| batch.records.len()).sum()
}
