//! Hears of appends by other nodes.
//!
//! A message that is lost delays nothing for longer than until the next poll, so this connection
//! promises nothing.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::future::{Either, select};
use tokio::{sync::Notify, task::JoinHandle, time};

use super::{
    super::pause::Pauses,
    fault::Fault,
    resp::{Reply, Request},
    session::Session,
    target::Target,
};

#[derive(Default)]
struct Shared {
    heard: Notify,
    polled: Notify,
    /// The last record of the log, as of the last poll.
    head: AtomicU64,
}

pub(super) struct Hints {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Hints {
    pub(super) fn start(target: Arc<Target>) -> Self {
        let shared = Arc::<Shared>::default();
        let task = tokio::spawn(keep_listening(target, shared.clone()));
        Self { shared, task }
    }

    /// A poll has seen the last record.
    pub(super) fn polled(&self, head: u64) {
        self.shared.head.store(head, Ordering::Relaxed);
        self.shared.polled.notify_one();
    }

    /// Waits until there may be new records.
    pub(super) async fn next(&self) {
        self.shared.heard.notified().await;
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep_listening(target: Arc<Target>, shared: Arc<Shared>) {
    let mut pauses = Pauses::new(target.timeout);
    loop {
        let mut was_of_use = false;
        if let Ok(session) = target.connect().await {
            // Others may have appended before we listened.
            shared.heard.notify_one();
            was_of_use = listen(session, &target, &shared).await;
        }
        pauses.after(was_of_use).await;
    }
}

/// Returns when the connection has ended, or another server is the primary. Returns whether the server
/// has let us wait.
async fn listen(mut session: Session, target: &Target, shared: &Shared) -> bool {
    let mut has_waited = false;
    loop {
        let waiting = wait(&mut session, target, shared.head.load(Ordering::Relaxed));
        // The server gives up first.
        let limit = target.timeout * 2;
        let waiting = pin!(time::timeout(limit, waiting));
        let moved = pin!(target.moved.notified());
        let waited = match select(waiting, moved).await {
            Either::Left((waited, _)) => waited,
            Either::Right(_) => return true,
        };
        match waited {
            Ok(Ok(true)) => {
                shared.heard.notify_one();
                // Until a poll has read it, the same record would come again and again.
                let _ = time::timeout(target.timeout, shared.polled.notified()).await;
            }
            Ok(Ok(false)) => {}
            _ => return has_waited,
        }
        has_waited = true;
    }
}

/// Waits for a record after this one. Returns whether there is one.
async fn wait(session: &mut Session, target: &Target, after: u64) -> Result<bool, Fault> {
    let limit = target.timeout.as_millis().max(1).to_string();
    let after = format!("{after}-0");
    let stream = target.keys.stream.as_bytes();
    let mut request = Request::default();
    request.add(&[
        b"XREAD",
        b"COUNT",
        b"1",
        b"BLOCK",
        limit.as_bytes(),
        b"STREAMS",
        stream,
        after.as_bytes(),
    ]);
    match session.wire.ask(&request).await?.pop() {
        Some(Reply::Error(error)) => Err(Fault::refused(&error, &session.wire.place)),
        Some(Reply::List(_)) => Ok(true),
        _ => Ok(false),
    }
}
