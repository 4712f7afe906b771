//! What may be used only once. Uses that wait are sent together.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::{
    super::{
        super::{LogError, LogErrorKind},
        once::{OnceResult, OnceStore, OnceUse},
    },
    fault::Fault,
    link::{Call, Link},
    resp::{Reply, Request},
    scripts::Script,
    session::Session,
    target::Target,
    values::Parts,
};

/// At most this many uses are sent together.
const BATCH: usize = 256;
/// At most this many uses can wait. Further ones are refused.
const QUEUE: usize = 16 * 1024;
/// Whole seconds up to here are exact in a sorted set.
const LATEST: u64 = 1 << 53;

/// A store with a task and a connection of its own, which is made at the first use.
pub(super) struct Replay(mpsc::Sender<Waiting>);

struct Waiting {
    once: OnceUse,
    /// Distinguishes a use that is sent again from another one.
    mark: u64,
    reply: oneshot::Sender<Result<OnceResult, LogError>>,
}

impl Replay {
    pub(super) fn start(target: Arc<Target>) -> Self {
        let (sender, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(run(Link::idle(target), waiting));
        Self(sender)
    }

    fn queue(
        &self,
        once: OnceUse,
        reply: oneshot::Sender<Result<OnceResult, LogError>>,
    ) -> Result<(), LogError> {
        let mark = getrandom::u64().map_err(|error| {
            LogError::new(LogErrorKind::Unavailable).caused_by(error.to_string())
        })?;
        let queued = self.0.try_send(Waiting { once, mark, reply });
        queued.map_err(|refused| {
            LogError::new(match refused {
                mpsc::error::TrySendError::Full(_) => LogErrorKind::QueueFull,
                mpsc::error::TrySendError::Closed(_) => LogErrorKind::Closed,
            })
        })
    }
}

impl OnceStore for Replay {
    fn use_up(&self, once: OnceUse) -> BoxFuture<'static, Result<OnceResult, LogError>> {
        let (reply, answer) = oneshot::channel();
        let queued = self.queue(once, reply);
        Box::pin(async move {
            queued?;
            let ended = |_| Err(LogError::new(LogErrorKind::Closed));
            answer.await.unwrap_or_else(ended)
        })
    }
}

async fn run(link: Link, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let results = link.call(&Using(&batch, &link)).await;
        for (place, waiting) in batch.drain(..).enumerate() {
            let result = match &results {
                Ok(results) => Ok(results[place]),
                Err(fault) => Err(fault.clone().into()),
            };
            // The caller may have gone.
            let _ = waiting.reply.send(result);
        }
    }
}

struct Using<'a>(&'a [Waiting], &'a Link);

impl Call for Using<'_> {
    /// One for each use.
    type Answer = Vec<OnceResult>;

    fn request(&self, session: &Session) -> Request {
        let Self(batch, Link { target, .. }) = self;
        let mut request = Request::default();
        for Waiting { once, mark, .. } in *batch {
            let name = [&once.client[..], &once.digest].concat();
            let expires = once.expires.min(LATEST).to_string();
            let (quota, mark) = (once.quota.to_string(), mark.to_be_bytes());
            let arguments = [&name[..], expires.as_bytes(), quota.as_bytes(), &mark];
            session
                .scripts
                .call(&mut request, Script::UseUp, &target.keys, &arguments);
        }
        session.proof.ask(&mut request, target.timeout);
        request
    }

    fn read(&self, replies: Vec<Reply>, session: &Session) -> Result<Self::Answer, Fault> {
        let mut replies = replies.into_iter();
        let place = &session.wire.place;
        let mut results = Vec::new();
        for _ in self.0 {
            let parts = Parts::new(replies.next(), session)?;
            results.push(match parts.map(|mut parts| parts.count()).transpose()? {
                Some(0) => OnceResult::Fresh,
                Some(1) => OnceResult::Used,
                Some(2) => OnceResult::Forgotten,
                Some(3) => OnceResult::FullQuota,
                _ => return Err(Fault::corrupt(format!("{place} gives an unknown answer"))),
            });
        }
        session.proof.read(&mut replies, place)?;
        Ok(results)
    }
}
