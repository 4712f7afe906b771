//! Follows the log, page by page, and makes each page durable before the next.

use std::{pin::pin, sync::Arc, time::Duration};

use futures::future::select;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    super::{
        super::LogError,
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
    /// Up to where the file says that it has the whole log.
    stored: Option<KeptUpTo>,
    /// Whether the log has everything that the file has. If not, the file gets no cursor: a process
    /// that starts with it must compare both.
    is_whole: bool,
    failures: u32,
    /// That of the last page.
    incarnation: Option<Incarnation>,
    /// It has lost its end, and the node may not know that yet.
    distrusted: Option<Incarnation>,
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
            stored: up_to,
            is_whole: up_to.is_some() || is_new,
            failures: 0,
            incarnation: None,
            distrusted: None,
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
        let node = *self.node.borrow_and_update();
        let page = within(PATIENCE, engine.read(self.cursor)).await;
        // The node says what is wrong with the engine.
        let mut page = page.map_err(drop)?;
        if page.history != History::Same && self.cursor.sequence > 0 {
            self.is_whole = false;
            self.forget_cursor().await?;
            // Another incarnation makes the node compare, too.
            if page.history == History::Other && self.incarnation == Some(page.incarnation) {
                self.distrusted = self.incarnation;
                self.shared.state().lost = Some(page.incarnation);
                self.shared.lost.notify_one();
            }
        }
        self.incarnation = Some(page.incarnation);
        let has_news = !page.records.is_empty();
        let records = std::mem::take(&mut page.records);
        let is_healed = node.whole == self.incarnation && self.distrusted != self.incarnation;
        if !page.more && !self.is_whole && is_healed {
            // The node has read the whole log, compared it with the file, and given back what was
            // missing.
            self.is_whole = node.sequence >= page.upto.sequence;
        }
        let up_to = self.up_to(&page);
        if has_news || self.stored != up_to {
            let written = self.file.write(records, up_to).await;
            self.check(written)?;
            self.stored = up_to;
            self.shared.state().up_to = up_to;
        }
        self.cursor = page.upto;
        Ok(page.more)
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

    /// The file may have something that the log has lost.
    async fn forget_cursor(&mut self) -> Result<(), ()> {
        // Also if the disk fails: a reader that is added must not go on from there.
        self.shared.state().up_to = None;
        let written = self.file.write(Vec::new(), None).await;
        self.check(written)?;
        self.stored = None;
        Ok(())
    }

    fn check(&self, written: Result<(), LogError>) -> Result<(), ()> {
        self.shared.set_problem(written.as_ref().err());
        written.map_err(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, sync::Mutex};

    use super::{super::file::UpTo, *};
    use crate::log::{
        Durability, LogErrorKind, NumericDate, Revocation, Selector,
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

    #[tokio::test]
    async fn file_has_no_cursor_while_the_log_may_lack_something() {
        let folder = tempfile::tempdir().unwrap();
        let opened = File::open(folder.path().join("mirror.redb"), "a".into()).await;
        let (file, up_to) = opened.unwrap();
        assert_eq!(up_to, UpTo::New);
        let shared = Arc::<Shared>::default();
        let node = watch::Sender::new(Seen::default());
        let mut copying = Copying::new(file.clone(), shared.clone(), node.subscribe(), None, true);
        let engine = Script::default();
        let mut copy = async |page: Page| {
            engine.0.lock().unwrap().push_back(page);
            copying.copy(&engine).await
        };
        let whole = |incarnation: u64, sequence: u64| {
            let whole = Some(Incarnation(incarnation));
            node.send_replace(Seen { whole, sequence });
        };
        assert_eq!(copy(page(1, History::Same, 5)).await, Ok(false));
        assert_eq!(found(&shared), Some((1, 5)));

        // The log has lost its end, and the node has not noticed.
        whole(1, 5);
        assert_eq!(copy(page(1, History::Other, 3)).await, Ok(false));
        assert_eq!(found(&shared), None);
        assert_eq!(shared.state().lost, Some(Incarnation(1)));
        assert_eq!(copy(page(1, History::Same, 4)).await, Ok(false));
        assert_eq!(found(&shared), None);
        // It compares, in another incarnation.
        node.send_replace(Seen::default());
        assert_eq!(copy(page(2, History::Same, 6)).await, Ok(false));
        assert_eq!(found(&shared), None);
        // And has given everything back, but the copy is further.
        whole(2, 6);
        assert_eq!(copy(page(2, History::Same, 7)).await, Ok(false));
        assert_eq!(found(&shared), None);
        whole(2, 7);
        assert_eq!(copy(page(2, History::Same, 7)).await, Ok(false));
        assert_eq!(found(&shared), Some((2, 7)));
        // Nothing that was ever there is gone.
        let records = file.piece(0).unwrap().records;
        assert_eq!(records, [5, 3, 4, 6, 7].map(record));
    }

    #[tokio::test]
    async fn disk_that_fails_does_not_keep_the_cursor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mirror.redb");
        let (file, _) = File::open(path.clone(), "a".into()).await.unwrap();
        let shared = Arc::<Shared>::default();
        let node = watch::Sender::new(Seen::default());
        let mut copying = Copying::new(file, shared.clone(), node.subscribe(), None, true);
        let engine = Script::default();
        let mut copy = async |page: Page| {
            engine.0.lock().unwrap().push_back(page);
            copying.copy(&engine).await
        };
        assert_eq!(copy(page(1, History::Same, 5)).await, Ok(false));
        assert_eq!(found(&shared), Some((1, 5)));
        // The file has gone, so nothing can be written.
        std::fs::rename(&path, folder.path().join("elsewhere.redb")).unwrap();
        assert_eq!(copy(page(2, History::Other, 3)).await, Err(()));
        assert!(shared.state().problem.is_some());
        assert_eq!(found(&shared), None);
    }

    #[tokio::test]
    async fn name_of_a_scan_is_no_cursor() {
        let folder = tempfile::tempdir().unwrap();
        let opened = File::open(folder.path().join("mirror.redb"), "a".into()).await;
        let (file, _) = opened.unwrap();
        let shared = Arc::<Shared>::default();
        let node = watch::Sender::new(Seen::default());
        let mut copying = Copying::new(file, shared.clone(), node.subscribe(), None, true);
        let engine = Script::default();
        let scanned = Page {
            upto: Cursor {
                sequence: 0,
                mark: 9,
            },
            more: true,
            ..page(1, History::Same, 1)
        };
        engine.0.lock().unwrap().push_back(scanned);
        assert_eq!(copying.copy(&engine).await, Ok(true));
        assert_eq!((found(&shared), copying.cursor.mark), (None, 9));
    }
}
