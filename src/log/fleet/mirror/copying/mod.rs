//! Follows the log, page by page, and makes each page durable before the next.

#[cfg(test)]
mod tests;

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
