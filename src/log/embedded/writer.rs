//! The handle of the writing thread.

use std::{
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use futures::channel::oneshot;

use super::{
    super::{LogError, LogErrorKind, LogHealth, Position, Selector, readers::Readers},
    fault::Fault,
    health::Health,
    pending::Pending,
    queue::{Job, PeriodicStep, PeriodicTask, Queue, Slot, Task},
    store::Store,
    thread::{Start, Thread},
    work::Work,
};
use crate::error::{Error, ErrorKind};

#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<Queue>,
    health: Arc<Health>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. After a failure the thread waits for `pause` before it tries to recover,
    /// and longer after each failed attempt. A silent one has no series and events.
    pub(super) fn start(
        store: Arc<Store>,
        start: Start,
        readers: Arc<Mutex<Readers>>,
        pause: Duration,
        is_silent: bool,
    ) -> Result<Self, LogError> {
        let (queue, tasks) = Queue::new();
        let health = Arc::new(Health::new(is_silent));
        let thread = Thread::new(store, start, readers, health.clone(), pause);
        let thread = std::thread::Builder::new()
            .name("revocation-log".into())
            .spawn(move || thread.run(&tasks))
            .map_err(|cause| LogError::new(LogErrorKind::Storage).caused_by(cause))?;
        Ok(Self {
            queue: Some(queue),
            health,
            thread: Some(thread),
        })
    }

    pub(super) fn health(&self) -> LogHealth {
        self.health.get()
    }

    /// Queues a job, and returns once its commit is durable. Dropping the future does not cancel
    /// the job. A job on behalf of a client needs a slot of that client's quota of the queue.
    ///
    /// A job must check everything before it writes: if it writes and then fails, the whole commit
    /// fails for all jobs.
    pub(super) fn write<T, F>(
        &self,
        client: Option<Selector>,
        job: F,
    ) -> impl Future<Output = Result<T, LogError>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (sender, reply) = oneshot::channel();
        let queued = self.queue(client, |slot| {
            let mut pending = Pending::queue(self.health.is_silent());
            let job: Job = Box::new(move |work| {
                drop(slot);
                pending.begin();
                let work = match work {
                    Ok(work) => work,
                    Err(refusal) => {
                        pending.end(false);
                        // The caller may have dropped the future.
                        let _ = sender.send(Err(refusal));
                        return (Box::new(|_| {}), None);
                    }
                };
                let done = job(work);
                // A job that failed before it wrote anything does not affect the other jobs.
                let fault = done
                    .as_ref()
                    .err()
                    .filter(|fault| !fault.keeps_the_commit());
                let fault = fault.cloned();
                let fails = fault.is_some();
                let reply = move |committed: Result<(), LogError>| {
                    let result = match (done, committed) {
                        (Ok(value), committed) => committed.map(|()| value),
                        (Err(_), Err(failure)) if fails => Err(failure),
                        (Err(fault), _) => Err(fault.into()),
                    };
                    pending.end(result.is_ok());
                    // The caller may have dropped the future. The commit is valid nevertheless.
                    let _ = sender.send(result);
                };
                (Box::new(reply), fault)
            });
            Task::Write(job)
        });
        receive(queued, reply)
    }

    /// Queues a job that runs between two commits, also while the log cannot be written.
    pub(super) fn between_commits<T, F>(
        &self,
        job: F,
    ) -> impl Future<Output = Result<T, LogError>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&Store, Position) -> Result<T, Fault> + Send + 'static,
    {
        let (sender, reply) = oneshot::channel();
        let task = Task::BetweenCommits(Box::new(move |store, seen| {
            let _ = sender.send(job(store, seen).map_err(LogError::from));
        }));
        let queued = match &self.queue {
            Some(queue) => queue.put(task).map_err(LogError::new),
            None => Err(LogError::new(LogErrorKind::Closed)),
        };
        receive(queued, reply)
    }

    /// Runs a task once in every period from now on, and replaces the task of the same name.
    pub(super) fn every(&self, name: &'static str, period: Duration, step: PeriodicStep) {
        // A period of zero would leave no time for anything else.
        let period = period.max(Duration::from_millis(1));
        if let Some(queue) = &self.queue {
            queue.put_blocking(Task::Periodic(name, PeriodicTask { period, step }));
        }
    }

    fn queue(
        &self,
        client: Option<Selector>,
        task: impl FnOnce(Option<Slot>) -> Task,
    ) -> Result<(), LogError> {
        if let Some(refusal) = self.health.refusal() {
            self.health.refused("not_writable");
            return Err(refusal);
        }
        let Some(queue) = &self.queue else {
            return Err(LogError::new(LogErrorKind::Closed));
        };
        let slot = client.map(|client| queue.take_slot(client)).transpose();
        let slot = slot.map_err(|kind| {
            self.health.refused("queue_quota");
            // The client causes this itself, and nothing has failed here.
            let refusal = Error::new(ErrorKind::Unavailable).without_alarm();
            LogError::new(kind)
                .caused_by(refusal.caused_by("the client has used up its quota of the queue"))
        })?;
        queue.put(task(slot)).map_err(|kind| {
            self.health.refused(match kind {
                LogErrorKind::QueueFull => "queue",
                _ => "not_writable",
            });
            LogError::new(kind)
        })
    }
}

/// Waits for the reply of the thread, if the task was queued.
async fn receive<T>(
    queued: Result<(), LogError>,
    reply: oneshot::Receiver<Result<T, LogError>>,
) -> Result<T, LogError> {
    queued?;
    reply.await.unwrap_or_else(|_| {
        // The thread replies to every job, unless it panics. It may have committed before that.
        Err(LogError::new(LogErrorKind::Storage).caused_by("the writing thread has panicked"))
    })
}

/// Queued jobs are written before the file is closed.
impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        // A reader may own the last handle and drop it on the writing thread, which cannot wait for
        // itself.
        let thread = self.thread.take();
        let is_other =
            |thread: &JoinHandle<()>| thread.thread().id() != std::thread::current().id();
        if let Some(thread) = thread.filter(is_other) {
            let _ = thread.join();
        }
    }
}
