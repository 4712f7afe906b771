//! What is done to a log beside appending to it.

use std::{path::Path, sync::atomic::Ordering::Relaxed, time::Duration};

use super::{super::LogError, EmbeddedLog, Work, fault::Fault};

impl EmbeddedLog {
    /// Limits the log to `records` selectors. An append that would add another is refused with
    /// [`LogErrorKind::Full`](super::super::LogErrorKind::Full), and others of the same commit are
    /// not. There is no limit unless this is called. It holds for every clone.
    ///
    /// **Nothing is forgotten before it expires**, and what has expired makes room only when it is
    /// [swept](Self::sweep). A record about a selector that has one already always goes in, and a
    /// file that has more than this is not cut.
    #[must_use]
    pub fn ceiling(self, records: usize) -> Self {
        self.ceiling.store(records, Relaxed);
        self
    }

    /// Waits until everything that has been queued is on the disk.
    ///
    /// # Errors
    ///
    /// If it could not be written.
    pub async fn drain(&self) -> Result<(), LogError> {
        self.write(|_| Ok(())).await
    }

    /// Forgets the records that have expired, and those that later ones have overtaken. Returns how
    /// many have gone. A reader that is further behind than the last of them has to take a
    /// snapshot.
    ///
    /// It goes step by step, so that appends pass between. [`sweep_every`](Self::sweep_every) calls
    /// it by itself.
    ///
    /// # Errors
    ///
    /// [`ClockJumped`](super::super::LogErrorKind::ClockJumped) if the system's clock is ahead of
    /// the time that has passed. Nothing is forgotten then: by such a clock, records expire whose
    /// tokens are alive. Small steps ahead add up to a jump; a slow drift does not. The clock is
    /// believed again once it has run evenly for as long as the jump was, longer if it has jumped
    /// before, and for an hour at most. After a restart, the time since the last write counts as a
    /// jump. With the feature `tracing`, an event says so.
    ///
    /// Else, if it could not be written.
    pub async fn sweep(&self) -> Result<u64, LogError> {
        let now = self.pace.now()?;
        let (mut forgotten, mut from) = (0, Some(0));
        while let Some(start) = from {
            let step = self.write(move |work| work.sweep(start, now)).await?;
            forgotten += step.removed;
            from = step.next;
        }
        Ok(forgotten)
    }

    /// [Sweeps](Self::sweep) once in this period, on the log's own thread, as long as there is a
    /// handle on the log. Called again, on any clone, it changes the period.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_revocation::log::EmbeddedLog;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("revocations.redb");
    /// let log = EmbeddedLog::open(&path)?.sweep_every(Duration::from_secs(60));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sweep_every(self, period: Duration) -> Self {
        let pace = self.pace.clone();
        let mut from = 0;
        self.every("sweeping the log", period, move |work| {
            let Ok(now) = pace.now() else {
                return Ok(false);
            };
            let next = work.sweep(from, now)?.next;
            from = next.unwrap_or(0);
            Ok(next.is_some())
        });
        self
    }

    /// Gives the room of what was swept back to the file system. Returns whether the file was
    /// changed.
    ///
    /// Appends wait until it is done, and so does everything else that reads the file, such as
    /// `IssuedTokens`: call it in a quiet hour. Checks by an
    /// [`Index`](crate::enforce::Index) go on.
    ///
    /// # Errors
    ///
    /// If it could not be written.
    pub async fn compact(&self) -> Result<bool, LogError> {
        let compact = self.writer.between(|store, _| {
            store.check()?;
            store.alone_with(|database| Ok(database.compact()?))
        });
        compact.await
    }

    /// Copies the log to a new file, with everything that is in the same file, such as registered
    /// tokens. Everything that was answered before the call is in the copy. The copy is durable when
    /// this returns.
    ///
    /// Appends that come meanwhile wait until the file is copied: a second for about a gigabyte.
    /// [`restore`](Self::restore) makes a log of the copy again.
    ///
    /// ```
    /// use tower_revocation::log::{EmbeddedLog, NumericDate, Revocation, RevocationLog, Selector};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let [path, backup] = ["revocations.redb", "backup.redb"].map(|name| folder.path().join(name));
    /// let log = EmbeddedLog::open(&path)?;
    /// let record = Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER);
    /// log.append(vec![record]).await?;
    /// log.backup(&backup).await?;
    ///
    /// // The disk was lost:
    /// drop(log);
    /// std::fs::remove_file(&path)?;
    /// let log = EmbeddedLog::restore(&backup, &path)?;
    /// assert_eq!(log.snapshot().await?.records, [record]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](super::super::LogErrorKind::Storage) if there is a file at `path` already, or it
    /// cannot be written; [`Missing`](super::super::LogErrorKind::Missing) or
    /// [`Replaced`](super::super::LogErrorKind::Replaced) if the log's own file is gone.
    pub async fn backup(&self, path: impl AsRef<Path>) -> Result<(), LogError> {
        let path = path.as_ref().to_owned();
        let copied = self.writer.between(move |store, _| {
            store.check()?;
            store.storage().copy_to(&path)
        });
        copied.await
    }

    /// Does something on the log's own thread once in a period, in steps, until one returns that
    /// there is no more to do.
    pub(crate) fn every(
        &self,
        name: &'static str,
        period: Duration,
        step: impl FnMut(&mut Work<'_>) -> Result<bool, Fault> + Send + 'static,
    ) {
        self.writer.every(name, period, Box::new(step));
    }
}
