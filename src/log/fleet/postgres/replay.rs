//! What may be used only once. Uses that wait go into one transaction.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{channel::oneshot, future::BoxFuture};
use tokio_postgres::types::ToSql;

use super::{
    super::{
        super::{LogError, LogErrorKind},
        once::{OnceResult, OnceStore, OnceUse},
    },
    fault::Fault,
    link::{Link, OWN},
    target::Target,
    values::{column, number, signed},
};

/// At most this many uses are in one transaction.
const BATCH: usize = 256;
/// At most this many uses can wait. Further ones are refused.
const QUEUE: usize = 16 * 1024;
/// At most this many of them can belong to one client.
const QUOTA: usize = QUEUE / 16;

/// A store with a connection of its own, which is made at the first use.
pub(super) struct Replay(Arc<Shared>);

struct Shared {
    link: Link,
    sql: Arc<str>,
    queue: Mutex<Queue>,
    /// Held while a transaction is under way, so that all that come meanwhile go into the next one.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    clients: HashMap<[u8; 16], usize>,
}

struct Waiting {
    once: OnceUse,
    mark: u64,
    reply: oneshot::Sender<Result<OnceResult, LogError>>,
}

impl Replay {
    pub(super) fn new(target: Arc<Target>) -> Self {
        let sql = include_str!("use_up.sql").replace("{schema}", &target.schema);
        Self(Arc::new(Shared {
            link: Link::idle(target),
            sql: sql.into(),
            queue: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }))
    }
}

impl OnceStore for Replay {
    fn use_up(&self, once: OnceUse) -> BoxFuture<'static, Result<OnceResult, LogError>> {
        let (reply, answer) = oneshot::channel();
        let queued = self.0.queue().put(once, reply);
        if queued.is_ok() {
            let shared = self.0.clone();
            // Not in the future of the caller: others wait for the same transaction.
            let runtime = &self.0.link.target.runtime;
            runtime.spawn(async move { shared.next().await });
        }
        Box::pin(async move {
            queued?;
            let ended = |_| Err(LogError::new(LogErrorKind::Closed));
            answer.await.unwrap_or_else(ended)
        })
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a transaction with those that wait.
    async fn next(&self) {
        let _turn = self.turn.lock().await;
        let batch = self.queue().take();
        if batch.is_empty() {
            return;
        }
        let results = self.run(&batch).await;
        for (index, waiting) in batch.into_iter().enumerate() {
            let result = match &results {
                Ok(results) => Ok(results[index]),
                Err(fault) => Err(LogError::from(fault.clone())),
            };
            // The caller may have gone.
            let _ = waiting.reply.send(result);
        }
    }

    /// Returns a result for each.
    async fn run(&self, batch: &[Waiting]) -> Result<Vec<OnceResult>, Fault> {
        let onces: Vec<&[u8]> = batch.iter().map(|one| &one.once.digest[..]).collect();
        let clients: Vec<&[u8]> = batch.iter().map(|one| &one.once.client[..]).collect();
        let expires: Vec<_> = batch.iter().map(|one| number(one.once.expires)).collect();
        let marks: Vec<_> = batch.iter().map(|one| signed(one.mark)).collect();
        let quota = number(batch.iter().map(|one| one.once.quota).min().unwrap_or(0));
        let parameters: [&(dyn ToSql + Sync); 5] = [&onces, &clients, &expires, &marks, &quota];
        let row = self.link.ask(&self.sql, &parameters).await?;
        let results: Vec<i32> = column(&row, OWN)?;
        if results.len() != batch.len() {
            return Err(Fault::corrupt("the server has not answered for each use"));
        }
        results.into_iter().map(result).collect()
    }
}

impl Queue {
    fn put(
        &mut self,
        once: OnceUse,
        reply: oneshot::Sender<Result<OnceResult, LogError>>,
    ) -> Result<(), LogError> {
        let of_client = self.clients.get(&once.client).copied().unwrap_or(0);
        if self.waiting.len() >= QUEUE || of_client >= QUOTA {
            return Err(LogError::new(LogErrorKind::QueueFull));
        }
        let mark = getrandom::u64().map_err(|error| {
            LogError::new(LogErrorKind::Unavailable).caused_by(error.to_string())
        })?;
        self.clients.insert(once.client, of_client + 1);
        self.waiting.push(Waiting { once, mark, reply });
        Ok(())
    }

    /// Takes the next ones. Each identifier and each quota is there once: the first use of an
    /// identifier decides about the others.
    fn take(&mut self) -> Vec<Waiting> {
        let mut digests = HashSet::new();
        let quota = self.waiting.first().map(|first| first.once.quota);
        let mut batch = Vec::new();
        let mut rest = Vec::new();
        for waiting in self.waiting.drain(..) {
            let fits = batch.len() < BATCH && Some(waiting.once.quota) == quota;
            if fits && digests.insert(waiting.once.digest) {
                batch.push(waiting);
            } else {
                rest.push(waiting);
            }
        }
        self.waiting = rest;
        for waiting in &batch {
            let client = &waiting.once.client;
            match self.clients.get_mut(client) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(self.clients.remove(client)),
            }
        }
        batch
    }
}

fn result(result: i32) -> Result<OnceResult, Fault> {
    Ok(match result {
        0 => OnceResult::Fresh,
        1 => OnceResult::Used,
        2 => OnceResult::Forgotten,
        3 => OnceResult::FullQuota,
        _ => return Err(Fault::corrupt("the server gives an unknown answer")),
    })
}
