//! Tells other nodes that there are new records, and hears of theirs.
//!
//! A message that is lost delays nothing for longer than until the next poll. So this connection
//! promises nothing: it sends after the commit, and not in its transaction, where it would make all
//! appends of the database wait for each other.

use std::{pin::pin, sync::Arc};

use futures::future::{Either, select};
use tokio::{sync::Notify, task::JoinHandle, time};

use super::{super::pause::Pauses, fault::Fault, session::Session, target::Target};

pub(super) struct Hints {
    heard: Arc<Notify>,
    tell: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Hints {
    pub(super) fn start(target: Arc<Target>) -> Self {
        let [heard, tell] = [(); 2].map(|()| Arc::new(Notify::new()));
        let task = tokio::spawn(keep_listening(target, heard.clone(), tell.clone()));
        Self { heard, tell, task }
    }

    /// There are new records. Returns at once.
    pub(super) fn tell(&self) {
        self.tell.notify_one();
    }

    /// Waits until there may be new records.
    pub(super) async fn next(&self) {
        self.heard.notified().await;
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep_listening(target: Arc<Target>, heard: Arc<Notify>, tell: Arc<Notify>) {
    let mut pauses = Pauses::new(target.timeout);
    loop {
        let mut was_of_use = false;
        if let Ok(session) = listen(&target).await {
            // Others may have appended before we listened.
            heard.notify_one();
            was_of_use = carry(&session, &target, &heard, &tell).await;
        }
        pauses.after(was_of_use).await;
    }
}

async fn listen(target: &Target) -> Result<Session, Fault> {
    let session = target.connect().await?;
    // A message needs no flush.
    let listen = format!("set synchronous_commit = off; listen {}", target.schema);
    let listening = time::timeout(target.timeout, session.run(&listen));
    listening.await.map_err(|_| target.late())??;
    Ok(session)
}

/// Returns when the connection has ended, or another server is the primary. Returns whether it has
/// carried a message.
async fn carry(session: &Session, target: &Target, heard: &Notify, tell: &Notify) -> bool {
    let notify = format!("notify {}", target.schema);
    let mut carried = false;
    loop {
        let closed = pin!(session.inbox.closed.notified());
        let moved = pin!(target.moved.notified());
        let here = pin!(session.inbox.notified.notified());
        let there = pin!(tell.notified());
        match select(select(closed, moved), select(here, there)).await {
            Either::Left((Either::Right(_), _)) => return true,
            Either::Left(_) => return carried,
            Either::Right((Either::Left(_), _)) => heard.notify_one(),
            Either::Right((Either::Right(_), _)) => {
                let told = time::timeout(target.timeout, session.run(&notify)).await;
                if !matches!(told, Ok(Ok(()))) {
                    return carried;
                }
            }
        }
        carried = true;
    }
}
