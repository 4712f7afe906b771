//! The handle on the one thread that writes.

use std::{
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use futures::channel::oneshot;

use super::{
    super::{LogError, LogErrorKind, LogHealth, Position, Selector, observe, readers::Readers},
    fault::Fault,
    health::Health,
    pending::Pending,
    queue::{Chore, ChoreStep, Job, Queue, Task},
    store::Store,
    thread::{Begun, Thread},
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
    /// Starts the thread. After a failure it waits for `pause` before it tries to recover, and
    /// longer each time.
    pub(super) fn start(
        store: Arc<Store>,
        begun: Begun,
        readers: Arc<Mutex<Readers>>,
        pause: Duration,
    ) -> Result<Self, LogError> {
        let (queue, tasks) = Queue::new();
        let health = Arc::<Health>::default();
        let thread = Thread::new(store, begun, readers, health.clone(), pause);
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

    /// Queues a job, and returns once its commit is durable. Dropping the future does not call the
    /// job back. A job on behalf of a client needs a place in that client's quota of the queue.
    ///
    /// A job looks before it writes: if it writes and then fails, the whole commit is lost to
    /// everybody.
    pub(super) fn write<T, F>(
        &self,
        client: Option<Selector>,
        job: F,
    ) -> impl Future<Output = Result<T, LogError>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let queued = self.queue(client, |place| {
            let mut pending = Pending::enter();
            let job: Job = Box::new(move |work| {
                drop(place);
                pending.begin();
                let work = match work {
                    Ok(work) => work,
                    Err(refusal) => {
                        pending.end(false);
                        // Whoever asked may have gone.
                        let _ = answer.send(Err(refusal));
                        return (Box::new(|_| {}), None);
                    }
                };
                let done = job(work);
                // What is about rows has written nothing: the others go on.
                let fault = done.as_ref().err().filter(|fault| !fault.is_about_rows());
                let fault = fault.cloned();
                let fails = fault.is_some();
                let answer = move |committed: Result<(), LogError>| {
                    let answered = match (done, committed) {
                        (Ok(value), committed) => committed.map(|()| value),
                        (Err(_), Err(failure)) if fails => Err(failure),
                        (Err(fault), _) => Err(fault.into()),
                    };
                    pending.end(answered.is_ok());
                    // Whoever asked may have gone. The commit stands.
                    let _ = answer.send(answered);
                };
                (Box::new(answer), fault)
            });
            Task::Part(job)
        });
        answer_to(queued, answered)
    }

    /// Queues what is done between two commits, also while the log cannot be written.
    pub(super) fn between<T, F>(
        &self,
        job: F,
    ) -> impl Future<Output = Result<T, LogError>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&Store, Position) -> Result<T, Fault> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let task = Task::Between(Box::new(move |store, told| {
            let _ = answer.send(job(store, told).map_err(LogError::from));
        }));
        let queued = match &self.queue {
            Some(queue) => queue.put(task).map_err(LogError::new),
            None => Err(LogError::new(LogErrorKind::Closed)),
        };
        answer_to(queued, answered)
    }

    /// Does something once in a period from now on, in place of what had the same name.
    pub(super) fn every(&self, name: &'static str, period: Duration, step: ChoreStep) {
        // Zero would leave no time for anything else.
        let period = period.max(Duration::from_millis(1));
        if let Some(queue) = &self.queue {
            queue.put_patiently(Task::Chore(name, Chore { period, step }));
        }
    }

    fn queue(
        &self,
        client: Option<Selector>,
        task: impl FnOnce(Option<super::queue::Place>) -> Task,
    ) -> Result<(), LogError> {
        if let Some(refusal) = self.health.refusal() {
            observe::refused("not_writable");
            return Err(refusal);
        }
        let Some(queue) = &self.queue else {
            return Err(LogError::new(LogErrorKind::Closed));
        };
        let place = client.map(|client| queue.admit(client)).transpose();
        let place = place.map_err(|kind| {
            observe::refused("queue_quota");
            // A client brings it about by itself, and nothing is broken here.
            let told = Error::new(ErrorKind::Unavailable).without_alarm();
            LogError::new(kind).caused_by(told.caused_by("the client's quota of it is used up"))
        })?;
        queue.put(task(place)).map_err(|kind| {
            observe::refused(match kind {
                LogErrorKind::QueueFull => "queue",
                _ => "not_writable",
            });
            LogError::new(kind)
        })
    }
}

/// What the thread answers, if the task was queued.
async fn answer_to<T>(
    queued: Result<(), LogError>,
    answered: oneshot::Receiver<Result<T, LogError>>,
) -> Result<T, LogError> {
    queued?;
    answered.await.unwrap_or_else(|_| {
        // The thread answers everything, unless it panics. The commit may have come before that.
        Err(LogError::new(LogErrorKind::Storage).caused_by("the thread that writes has panicked"))
    })
}

/// What is queued is written before the file is closed.
impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        // A reader may hold the last handle, and let it go on the thread itself.
        let thread = self.thread.take();
        let elsewhere =
            |thread: &JoinHandle<()>| thread.thread().id() != std::thread::current().id();
        if let Some(thread) = thread.filter(elsewhere) {
            let _ = thread.join();
        }
    }
}
