//! A copy of the log in a file beside the node, so that a restart reads only what is new, and a log
//! that was emptied gets everything back.
//!
//! The copy follows the log by itself, at the pace of its disk and on another connection than polls and
//! appends. So it never delays a poll, and may be behind. Nothing that makes a node fresh depends on it.

mod copying;
mod file;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{
    sync::{Notify, watch},
    task,
    time::sleep,
};

use self::{copying::Copying, file::File};
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

/// What a node has said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    whole: Option<Incarnation>,
    sequence: u64,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// The copy may have records that neither the node nor the log has.
    doubted: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// `None` while the file has something that the log may lack.
    up_to: Option<KeptUpTo>,
    doubt: Doubt,
    problem: Option<Arc<str>>,
    /// Why the file could not be compared with the log the last time. The log may lack what it has.
    unread: Option<Arc<str>>,
}

/// Whether the file may have records that neither the node nor the log has, so that the node has to
/// compare them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Doubt {
    /// Or the node has been told. It is not whole before it has compared them.
    #[default]
    None,
    Raised,
    /// The node is being told.
    Told,
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

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node has to compare the file with the log.
    fn doubt(&self) {
        self.state().doubt = Doubt::Raised;
        self.doubted.notify_one();
    }

    /// Whether the node is to be told that it has to compare the file.
    fn tell(&self) -> bool {
        let mut state = self.state();
        let is_raised = state.doubt == Doubt::Raised;
        if is_raised {
            state.doubt = Doubt::Told;
        }
        is_raised
    }

    /// What the node has said last. It has heard of each doubt.
    fn heard(&self, node: &mut watch::Receiver<Seen>) -> Seen {
        // Under the lock: the node takes back what it said when it hears of a doubt.
        let state = self.state();
        let mut seen = *node.borrow_and_update();
        seen.whole = seen.whole.filter(|_| state.doubt == Doubt::None);
        seen
    }

    /// The file cannot be written, or can be again.
    fn set_problem(&self, error: Option<&LogError>) {
        let had_one = self.state().problem.is_some();
        match (error, had_one) {
            (Some(error), false) => observe::mirror_failed(error),
            (None, true) => observe::mirror_recovered(),
            _ => {}
        }
        self.state().problem = error.map(|error| problem("the mirror is behind", error));
    }

    /// A piece of the file was read for the node, or cannot be.
    fn recalled(&self, piece: &Result<Recalled, LogError>) {
        match piece {
            Err(error) => {
                observe::mirror_unread(error);
                let what = "the mirror cannot be read, and the log may lack what only it has";
                self.state().unread = Some(problem(what, error));
            }
            // A node asks for the next one only after the ones before.
            Ok(piece) if piece.next.is_none() => self.state().unread = None,
            Ok(_) => {}
        }
    }
}

async fn read_piece(file: &File, after: u64) -> Result<Recalled, LogError> {
    let file = file.clone();
    let read = task::spawn_blocking(move || file.piece(after)).await;
    read.unwrap_or_else(|_| Err(LogError::new(LogErrorKind::Storage)))
}

fn problem(what: &str, error: &LogError) -> Arc<str> {
    let cause = std::error::Error::source(error);
    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{what}: {error}{cause}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{NumericDate, Revocation, Selector};

    /// Returns the mirror, and what it has said to its copying.
    async fn mirror(path: &Path) -> (Mirror, watch::Receiver<Seen>) {
        let (file, _) = File::open(path.into(), "a".into()).await.unwrap();
        let mirror = Mirror {
            file,
            shared: Arc::default(),
            node: watch::Sender::default(),
        };
        let seen = mirror.node.subscribe();
        (mirror, seen)
    }

    #[tokio::test]
    async fn file_that_cannot_be_read_is_a_warning_and_gets_no_cursor() {
        let folder = tempfile::tempdir().unwrap();
        let (mirror, seen) = mirror(&folder.path().join("mirror.redb")).await;
        let record = Revocation::forever(Selector::grant("1"), NumericDate::FOREVER);
        mirror.file.write(vec![record], None).await.unwrap();
        let whole = Some(Incarnation(1));
        let said = || seen.borrow().whole;

        mirror.file.damage().await;
        assert!(mirror.recall(0).await.is_none());
        let problem = mirror.problem().unwrap();
        assert!(problem.contains("may lack what only it has"), "{problem}");
        // The file can still be written.
        mirror.shared.set_problem(None);
        assert!(mirror.problem().is_some());
        mirror.seen(whole, 1);
        assert_eq!(said(), None);

        // After the next loss it can be read to its end.
        let piece = |next| {
            Ok(Recalled {
                next,
                ..Recalled::default()
            })
        };
        mirror.shared.recalled(&piece(Some(1)));
        mirror.seen(whole, 1);
        assert_eq!(said(), None);
        mirror.shared.recalled(&piece(None));
        mirror.seen(whole, 1);
        assert_eq!((said(), mirror.problem()), (whole, None));
    }
}
