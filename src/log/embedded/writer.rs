//! The one thread that writes. Whoever waits while it commits shares the next commit.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use futures::channel::oneshot;
use redb::Database;

use super::{
    super::{LogError, LogErrorKind, readers::Readers},
    fault::Fault,
    tables::{State, Work},
};

/// So many jobs may wait. Beyond it they are refused: a caller that is told so can try again
/// elsewhere.
const QUEUE: usize = 16 * 1024;
/// So many jobs share one commit at the most, which bounds how long the first of them waits.
const GROUP: usize = 1024;

/// Does its part of a commit, and answers what to do once it is known how the commit ended.
type Job = Box<dyn FnOnce(&mut Work<'_>) -> Result<Answer, Fault> + Send>;
type Answer = Box<dyn FnOnce(Result<(), LogError>) + Send>;

#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        database: Arc<Database>,
        state: State,
        readers: Arc<Mutex<Readers>>,
    ) -> Result<Self, LogError> {
        let (queue, jobs) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("revocation-log".into())
            .spawn(move || {
                let mut log = Log {
                    database,
                    state,
                    readers,
                };
                log.run(&jobs);
            })
            .map_err(|cause| LogError::new(LogErrorKind::Storage).with_source(cause))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Queues a job, and answers once its commit is durable. Dropping the future does not call the
    /// job back.
    ///
    /// A job looks before it writes: if it writes and then fails, the whole commit is lost to
    /// everybody.
    pub(super) fn write<T, F>(
        &self,
        job: F,
    ) -> impl Future<Output = Result<T, LogError>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |work| match job(work) {
            Ok(value) => Ok(Box::new(move |committed: Result<(), LogError>| {
                // Whoever asked may have gone. The commit stands.
                let _ = answer.send(committed.map(|()| value));
            })),
            // It has written nothing: the others go on.
            Err(fault) if fault.is_about_rows() => Ok(Box::new(move |_| {
                let _ = answer.send(Err(fault.into()));
            })),
            Err(fault) => {
                let _ = answer.send(Err(fault.clone().into()));
                Err(fault)
            }
        });
        let queued = match &self.queue {
            Some(queue) => queue.try_send(job).map_err(|refused| match refused {
                TrySendError::Full(_) => LogErrorKind::QueueFull,
                TrySendError::Disconnected(_) => LogErrorKind::Closed,
            }),
            None => Err(LogErrorKind::Closed),
        };
        async move {
            queued.map_err(LogError::new)?;
            // The writer answers everything that it takes, unless it is gone.
            answered
                .await
                .unwrap_or_else(|_| Err(LogError::new(LogErrorKind::Closed)))
        }
    }
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

struct Log {
    database: Arc<Database>,
    state: State,
    readers: Arc<Mutex<Readers>>,
}

impl Log {
    fn run(&mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let group = std::iter::once(first).chain(jobs.try_iter().take(GROUP - 1));
            if self.commit(group).is_err() {
                // Only whoever opens the file anew knows what is on the disk now. Those who wait
                // hear of it as the queue is dropped.
                return;
            }
        }
    }

    /// One commit for the whole group. Everybody hears how it ended, and readers hear of it before.
    fn commit(&mut self, group: impl Iterator<Item = Job>) -> Result<(), LogError> {
        let mut answers = Vec::new();
        let committed = self.try_commit(group, &mut answers).map_err(LogError::from);
        for answer in answers {
            answer(committed.clone());
        }
        committed
    }

    fn try_commit(
        &mut self,
        group: impl Iterator<Item = Job>,
        answers: &mut Vec<Answer>,
    ) -> Result<(), Fault> {
        let mut transaction = self.database.begin_write()?;
        // Names and notes in the file are chosen by peers, and one who also makes us crash must not
        // be able to pass off half a commit as a whole one.
        transaction.set_two_phase_commit(true);
        let mut work = Work::begin(&transaction, &mut self.state)?;
        for job in group {
            answers.push(job(&mut work)?);
        }
        let (news, dirty) = (std::mem::take(&mut work.news), work.dirty);
        drop(work);
        if !dirty {
            transaction.abort()?;
            return Ok(());
        }
        transaction.commit()?;
        if !news.is_empty() {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            readers.tell(self.state.position, &news);
        }
        Ok(())
    }
}
