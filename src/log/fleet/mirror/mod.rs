//! A copy of the log in a file beside the node, so that a restart reads only what is new, and a log
//! that was emptied gets everything back.
//!
//! The copy follows the log by itself, at the pace of its disk and on another connection than polls and
//! appends. So it never delays a poll, and may be behind. Nothing that makes a node fresh depends on it.

mod copying;
mod file;
mod shared;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{sync::watch, task, time::sleep};

use self::{
    copying::Copying,
    file::File,
    shared::{Doubt, Seen, Shared},
};
use super::{
    super::{LogError, LogErrorKind, Reader},
    engine::{Engine, Incarnation},
    kept::{Found, Kept, KeptUpTo, Recalled},
    observe, url,
};

/// The pauses before a piece of the file is read again after a failure.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];

/// The handle of a copy.
#[derive(Debug)]
pub(super) struct Mirror {
    file: File,
    shared: Arc<Shared>,
    /// What the node has.
    node: watch::Sender<Seen>,
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

    fn recall(&self, after: u64) -> BoxFuture<'static, Option<Recalled>> {
        let (file, shared) = (self.file.clone(), self.shared.clone());
        Box::pin(async move {
            let mut piece = read_piece(&file, after).await;
            for pause in PAUSES {
                if piece.is_ok() {
                    break;
                }
                sleep(pause).await;
                piece = read_piece(&file, after).await;
            }
            shared.recalled(&piece);
            piece.ok()
        })
    }

    fn seen(&self, whole: Option<Incarnation>, sequence: u64) {
        let mut state = self.shared.state();
        // The node calls this after each piece of the file.
        let whole = whole.filter(|_| state.unread.is_none() && state.doubt != Doubt::Raised);
        let seen = Seen { whole, sequence };
        self.node
            .send_if_modified(|before| std::mem::replace(before, seen) != seen);
        if state.doubt == Doubt::Told {
            state.doubt = Doubt::None;
        }
        let up_to = state.up_to;
        drop(state);
        let copied = up_to.map_or(0, |up_to| up_to.cursor.sequence);
        observe::mirror_lag(sequence.saturating_sub(copied));
    }

    fn doubt(&self) -> BoxFuture<'static, ()> {
        let shared = self.shared.clone();
        Box::pin(async move {
            loop {
                let doubted = shared.doubted.notified();
                if shared.tell() {
                    return;
                }
                doubted.await;
            }
        })
    }

    fn problem(&self) -> Option<Arc<str>> {
        let state = self.shared.state();
        state.unread.as_ref().or(state.problem.as_ref()).cloned()
    }
}

async fn read_piece(file: &File, after: u64) -> Result<Recalled, LogError> {
    let file = file.clone();
    let read = task::spawn_blocking(move || file.piece(after)).await;
    read.unwrap_or_else(|_| Err(LogError::new(LogErrorKind::Storage)))
}
