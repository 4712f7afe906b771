//! A copy of the log in a file beside the node, so that a restart reads only what is new, and a log
//! that was emptied gets everything back.
//!
//! The copy follows the log by itself, at the pace of its disk and on a connection of its own. So it
//! never delays a poll, and may be behind. Nothing that makes a node fresh depends on it.

mod copying;
mod file;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use futures::future::BoxFuture;
use tokio::{
    sync::{Notify, watch},
    task,
};

use self::{copying::Copying, file::File};
use super::{
    super::{LogError, Reader},
    engine::{Engine, Incarnation},
    kept::{Found, Kept, KeptUpTo, Recalled},
    observe, url,
};

/// The handle of a copy.
#[derive(Debug)]
pub(super) struct Mirror {
    file: File,
    shared: Arc<Shared>,
    /// What the node has.
    node: watch::Sender<Seen>,
}

/// What a node has said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    whole: Option<Incarnation>,
    sequence: u64,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// The copy has found that the log has lost its end.
    lost: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// `None` while the file has something that the log may lack.
    up_to: Option<KeptUpTo>,
    lost: Option<Incarnation>,
    problem: Option<Arc<str>>,
}

impl Mirror {
    /// Opens or makes the file.
    ///
    /// # Errors
    ///
    /// Fails with `Misconfigured` if the file cannot be used: the cause says why.
    pub(super) async fn open<E: Engine>(
        path: &Path,
        engine: &E,
    ) -> Result<(Self, Found), LogError> {
        let (file, up_to) = File::open(PathBuf::from(path), engine.id())
            .await
            .map_err(|what| url::wrong(format!("`mirror`: {what}")))?;
        let found = Found {
            cursor: up_to.known().map(|known| known.cursor),
            is_new: up_to.is_new(),
        };
        let shared = Arc::<Shared>::default();
        shared.state().up_to = up_to.known();
        let mirror = Self {
            file,
            shared,
            node: watch::Sender::default(),
        };
        Ok((mirror, found))
    }

    /// Follows the log until the mirror is dropped.
    pub(super) fn start<E: Engine>(&self, engine: Arc<E>, found: Found) {
        let up_to = self.shared.state().up_to;
        let copying = Copying::new(
            self.file.clone(),
            self.shared.clone(),
            self.node.subscribe(),
            up_to,
            found.is_new,
        );
        tokio::spawn(copying.run(engine));
    }
}

impl Kept for Mirror {
    fn tell(&self, reader: Weak<dyn Reader>) -> BoxFuture<'static, Option<KeptUpTo>> {
        // Before the file is read: it has at least this.
        let up_to = self.shared.state().up_to;
        let file = self.file.clone();
        Box::pin(async move {
            let told = task::spawn_blocking(move || file.read_into(&reader)).await;
            up_to.filter(|_| matches!(told, Ok(Ok(()))))
        })
    }

    fn recall(&self, after: u64) -> BoxFuture<'static, Recalled> {
        let file = self.file.clone();
        Box::pin(async move {
            let read = task::spawn_blocking(move || file.piece(after)).await;
            // Without the rest the node gives back what it has.
            read.ok().and_then(Result::ok).unwrap_or_default()
        })
    }

    fn seen(&self, whole: Option<Incarnation>, sequence: u64) {
        let seen = Seen { whole, sequence };
        self.node
            .send_if_modified(|before| std::mem::replace(before, seen) != seen);
        let up_to = self.shared.state().up_to;
        let copied = up_to.map_or(0, |up_to| up_to.cursor.sequence);
        observe::mirror_lag(sequence.saturating_sub(copied));
    }

    fn lost(&self) -> BoxFuture<'static, Incarnation> {
        let shared = self.shared.clone();
        Box::pin(async move {
            loop {
                let notified = shared.lost.notified();
                if let Some(incarnation) = shared.state().lost.take() {
                    return incarnation;
                }
                notified.await;
            }
        })
    }

    fn problem(&self) -> Option<Arc<str>> {
        self.shared.state().problem.clone()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file cannot be written, or can be again.
    fn set_problem(&self, error: Option<&LogError>) {
        let had_one = self.state().problem.is_some();
        match (error, had_one) {
            (Some(error), false) => observe::mirror_failed(error),
            (None, true) => observe::mirror_recovered(),
            _ => {}
        }
        self.state().problem = error.map(problem);
    }
}

fn problem(error: &LogError) -> Arc<str> {
    let cause = std::error::Error::source(error);
    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("the mirror is behind: {error}{cause}").into()
}
