//! Follows the log, page by page, and makes each page durable before the next.

use std::{pin::pin, sync::Arc, time::Duration};

use futures::future::select;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    super::{
        engine::{Cursor, Engine, History, Incarnation, Page},
        kept::KeptUpTo,
        pause,
        requests::within,
    },
    File, Seen, Shared,
};

/// How long the engine has to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long the copy waits for news at most.
const IDLE: Duration = Duration::from_secs(30);

pub(super) struct Copying {
    file: File,
    shared: Arc<Shared>,
    /// Ends with the node.
    node: watch::Receiver<Seen>,
    cursor: Cursor,
    /// That of the last page.
    incarnation: Option<Incarnation>,
    /// Up to where the file says that it has the whole log.
    stored: Option<KeptUpTo>,
    /// Whether the log has everything that the file has. If not, the file gets no cursor: a process
    /// that starts with it must compare both.
    is_whole: bool,
    /// Whether the node has read everything that the file has, so that it gives back what the log loses.
    is_covered: bool,
    failures: u32,
}

impl Copying {
    pub(super) fn new(
        file: File,
        shared: Arc<Shared>,
        node: watch::Receiver<Seen>,
        up_to: Option<KeptUpTo>,
        is_new: bool,
    ) -> Self {
        Self {
            file,
            shared,
            node,
            cursor: up_to.map(|up_to| up_to.cursor).unwrap_or_default(),
            incarnation: None,
            stored: up_to,
            is_whole: up_to.is_some() || is_new,
            // A node that starts compares the file if it has to.
            is_covered: true,
            failures: 0,
        }
    }

    /// Runs until the node has ended.
    pub(super) async fn run<E: Engine>(self, engine: Arc<E>) {
        let mut node = self.node.clone();
        let ended = async move { while node.changed().await.is_ok() {} };
        select(pin!(self.follow(engine)), pin!(ended)).await;
    }

    async fn follow<E: Engine>(mut self, engine: Arc<E>) {
        loop {
            let wait = match self.copy(&*engine).await {
                Ok(true) => {
                    self.failures = 0;
                    continue;
                }
                Ok(false) => {
                    self.failures = 0;
                    IDLE
                }
                Err(()) => {
                    self.failures = self.failures.saturating_add(1);
                    sleep(pause::longest(self.failures, LONGEST_PAUSE)).await;
                    continue;
                }
            };
            // The node has more, or has given back what it remembers.
            let _ = timeout(wait, self.node.changed()).await;
        }
    }

    /// Copies a page. Returns whether there may be more.
    async fn copy<E: Engine>(&mut self, engine: &E) -> Result<bool, ()> {
        let mut node = self.shared.heard(&mut self.node);
        let page = within(PATIENCE, engine.read(self.cursor)).await;
        // The node says what is wrong with the engine.
        let mut page = page.map_err(drop)?;
        if self.cursor != Cursor::default() && !self.follows(&page) {
            self.may_have_lost(&page);
            node.whole = None;
        }
        self.incarnation = Some(page.incarnation);
        let records = std::mem::take(&mut page.records);
        let is_healed = node.whole == self.incarnation && node.sequence >= page.upto.sequence;
        if !page.more && is_healed {
            // If the file was not whole, the node has read the whole log, compared it with the file, and
            // given back what was missing.
            self.is_whole = true;
            self.is_covered = true;
        } else if !records.is_empty() {
            self.is_covered = false;
        }
        let up_to = self.up_to(&page);
        if !records.is_empty() || self.stored != up_to {
            let written = self.file.write(records, up_to).await;
            self.shared.set_problem(written.as_ref().err());
            written.map_err(drop)?;
            self.stored = up_to;
            self.shared.state().up_to = up_to;
        }
        self.cursor = page.upto;
        Ok(page.more)
    }

    /// Whether the log still has all that was copied.
    fn follows(&self, page: &Page) -> bool {
        // A cursor of a scan shows nothing of another incarnation.
        let is_proof = self.cursor.sequence > 0 || self.incarnation == Some(page.incarnation);
        page.history == History::Same && is_proof
    }

    /// The log may have lost something that was copied. The page begins again.
    fn may_have_lost(&mut self, page: &Page) {
        let is_doubted = if self.incarnation == Some(page.incarnation) {
            // The node may have read on, in a log that has lost what it had read before.
            page.history == History::Other
        } else {
            // The node notices, too, but knows only what it has read itself.
            !self.is_covered
        };
        if is_doubted {
            self.shared.doubt();
        }
        self.is_covered = true;
        self.is_whole = false;
        // Also if the disk fails: a reader that is added must not go on from there.
        self.shared.state().up_to = None;
        self.cursor = Cursor::default();
    }

    /// Up to where the file has the whole log, once it has this page.
    fn up_to(&self, page: &Page) -> Option<KeptUpTo> {
        // Without a number, the cursor names a scan of the engine, which another process does not
        // know.
        if self.is_whole && page.upto.sequence > 0 {
            return Some(KeptUpTo {
                incarnation: page.incarnation,
                cursor: page.upto,
            });
        }
        self.shared.state().up_to.filter(|_| self.is_whole)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, sync::Mutex};

    use futures::FutureExt as _;

    use super::{
        super::{super::kept::Kept as _, Mirror, file::UpTo},
        *,
    };
    use crate::log::{
        Durability, LogError, LogErrorKind, NumericDate, Revocation, Selector,
        fleet::engine::{Append, Ask, Committed, Membership},
    };

    /// Answers each question with the next page.
    #[derive(Default)]
    struct Script(Mutex<VecDeque<Page>>);

    impl Engine for Script {
        async fn poll(&self, _: Ask) -> Result<Page, LogError> {
            let page = self.0.lock().unwrap().pop_front();
            page.ok_or_else(|| LogError::new(LogErrorKind::Unavailable))
        }

        async fn append(&self, _: Append) -> Result<Committed, LogError> {
            unreachable!("a copy only reads")
        }

        async fn begin(&self, _: Incarnation) -> Result<(), LogError> {
            unreachable!("a copy only reads")
        }

        async fn leave(&self, _: u64) -> Result<(), LogError> {
            unreachable!("a copy is not listed")
        }

        async fn hint(&self) {}

        async fn sweep(&self) -> Result<u64, LogError> {
            unreachable!("a copy only reads")
        }

        fn durability(&self) -> Durability {
            Durability::Volatile
        }
    }

    fn record(number: u64) -> Revocation {
        Revocation::forever(Selector::grant(&number.to_string()), NumericDate::FOREVER)
    }

    fn page(incarnation: u64, history: History, upto: u64) -> Page {
        Page {
            incarnation: Incarnation(incarnation),
            history,
            upto: Cursor {
                sequence: upto,
                mark: upto,
            },
            records: vec![record(upto)],
            more: false,
            expected: None,
            forgotten: NumericDate::new(0),
            membership: Membership {
                was_listed: false,
                barrier: false,
                report_wanted: false,
                members: Vec::new(),
            },
            age: Duration::ZERO,
            engine_now: None,
        }
    }

    /// What a process that starts with the file would find.
    fn found(shared: &Shared) -> Option<(u64, u64)> {
        let up_to = shared.state().up_to;
        up_to.map(|up_to| (up_to.incarnation.0, up_to.cursor.sequence))
    }

    /// A new file in a folder, and its copying.
    struct Copy {
        mirror: Mirror,
        copying: Copying,
        engine: Script,
        folder: tempfile::TempDir,
    }

    impl Copy {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let opened = File::open(folder.path().join("mirror.redb"), "a".into()).await;
            let (file, up_to) = opened.unwrap();
            assert_eq!(up_to, UpTo::New);
            let mirror = Mirror {
                file: file.clone(),
                shared: Arc::default(),
                node: watch::Sender::default(),
            };
            let (shared, node) = (mirror.shared.clone(), mirror.node.subscribe());
            Self {
                copying: Copying::new(file, shared, node, None, true),
                engine: Script::default(),
                mirror,
                folder,
            }
        }

        async fn page(&mut self, page: Page) -> Result<bool, ()> {
            self.engine.0.lock().unwrap().push_back(page);
            self.copying.copy(&self.engine).await
        }

        /// The node has healed in an incarnation, and has everything up to here.
        fn whole(&self, incarnation: u64, sequence: u64) {
            self.mirror.seen(Some(Incarnation(incarnation)), sequence);
        }

        /// What a process that starts with the file would find.
        fn found(&self) -> Option<(u64, u64)> {
            found(&self.mirror.shared)
        }

        /// Whether the node is told to compare the file with the log.
        fn is_doubted(&self) -> bool {
            self.mirror.doubt().now_or_never().is_some()
        }
    }

    #[tokio::test]
    async fn file_has_no_cursor_while_the_log_may_lack_something() {
        let mut copy = Copy::new().await;
        assert_eq!(copy.page(page(1, History::Same, 5)).await, Ok(false));
        assert_eq!(copy.found(), Some((1, 5)));

        // The log has lost its end, and the node has not noticed.
        copy.whole(1, 5);
        assert_eq!(copy.page(page(1, History::Other, 3)).await, Ok(false));
        assert_eq!(copy.found(), None);
        assert_eq!(copy.page(page(1, History::Same, 4)).await, Ok(false));
        assert_eq!(copy.found(), None);
        copy.whole(1, 6);
        assert_eq!(copy.page(page(1, History::Same, 4)).await, Ok(false));
        assert_eq!(copy.found(), None);
        // It is told, and compares, in another incarnation.
        assert!(copy.is_doubted());
        assert_eq!(copy.page(page(1, History::Same, 4)).await, Ok(false));
        copy.mirror.seen(None, 4);
        assert_eq!(copy.page(page(2, History::Same, 6)).await, Ok(false));
        assert_eq!(copy.found(), None);
        // And has given everything back, but the copy is further.
        copy.whole(2, 6);
        assert_eq!(copy.page(page(2, History::Same, 7)).await, Ok(false));
        assert_eq!(copy.found(), None);
        copy.whole(2, 7);
        assert_eq!(copy.page(page(2, History::Same, 7)).await, Ok(false));
        assert_eq!(copy.found(), Some((2, 7)));
        assert!(!copy.is_doubted());
        // Nothing that was ever there is gone.
        let records = copy.mirror.file.piece(0).unwrap().records;
        assert_eq!(records, [5, 3, 4, 6, 7].map(record));
    }

    #[tokio::test]
    async fn copy_that_was_ahead_of_its_node_makes_it_compare() {
        for node in [4, 5] {
            let mut copy = Copy::new().await;
            copy.whole(1, node);
            assert_eq!(copy.page(page(1, History::Same, 5)).await, Ok(false));
            // Another incarnation, in which the node lacks nothing that it has read.
            copy.whole(2, 3);
            assert_eq!(copy.page(page(2, History::Other, 3)).await, Ok(false));
            assert_eq!(copy.found(), None);
            copy.whole(2, 3);
            assert_eq!(copy.page(page(2, History::Same, 3)).await, Ok(false));
            let has_it_all = node == 5;
            assert_eq!(copy.found().is_some(), has_it_all);
            assert_eq!(copy.is_doubted(), !has_it_all);
        }
    }

    #[tokio::test]
    async fn node_reads_what_the_copy_has_and_is_not_made_to_compare() {
        let mut copy = Copy::new().await;
        assert_eq!(copy.page(page(1, History::Same, 5)).await, Ok(false));
        copy.whole(1, 5);
        let quiet = Page {
            records: Vec::new(),
            ..page(1, History::Same, 5)
        };
        assert_eq!(copy.page(quiet).await, Ok(false));
        assert_eq!(copy.page(page(2, History::Other, 3)).await, Ok(false));
        // Far behind.
        assert_eq!(copy.page(page(2, History::Swept, 9)).await, Ok(false));
        assert!(!copy.is_doubted());
    }

    #[tokio::test]
    async fn disk_that_fails_keeps_no_cursor_and_makes_the_node_compare_once() {
        let mut copy = Copy::new().await;
        assert_eq!(copy.page(page(1, History::Same, 5)).await, Ok(false));
        assert_eq!(copy.found(), Some((1, 5)));
        // The file has gone, so nothing can be written.
        let path = copy.folder.path();
        std::fs::rename(path.join("mirror.redb"), path.join("elsewhere.redb")).unwrap();
        assert_eq!(copy.page(page(2, History::Other, 3)).await, Err(()));
        assert!(copy.mirror.problem().is_some());
        assert_eq!(copy.found(), None);
        assert!(copy.is_doubted());
        assert_eq!(copy.copying.cursor, Cursor::default());
        assert_eq!(copy.page(page(3, History::Same, 3)).await, Err(()));
        assert!(!copy.is_doubted());
    }

    #[tokio::test]
    async fn scan_that_another_incarnation_ends_proves_nothing() {
        let mut copy = Copy::new().await;
        let scanned = |incarnation| Page {
            upto: Cursor {
                sequence: 0,
                mark: 9,
            },
            more: true,
            ..page(incarnation, History::Same, 1)
        };
        copy.whole(1, 8);
        assert_eq!(copy.page(scanned(1)).await, Ok(true));
        // It has no sequence that the file could name.
        assert_eq!((copy.found(), copy.copying.cursor.mark), (None, 9));
        assert_eq!(copy.page(scanned(1)).await, Ok(true));
        assert!(!copy.is_doubted());
        assert_eq!(copy.page(scanned(2)).await, Ok(true));
        assert!(copy.is_doubted());
        assert_eq!(copy.page(page(2, History::Same, 8)).await, Ok(false));
        assert_eq!(copy.found(), None);
    }
}
