//! What the file says of itself, page by page.

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
