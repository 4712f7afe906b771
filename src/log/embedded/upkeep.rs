//! The maintenance of a log: its ceiling, sweeping, compaction and backups.

use std::{path::Path, sync::atomic::Ordering::Relaxed, time::Duration};

use super::{super::LogError, EmbeddedLog, Work, fault::Fault};

impl EmbeddedLog {
    /// Limits the log to `records` selectors. Defaults to no limit. The limit applies to every
    /// clone.
    ///
    /// An append that would add another selector fails with
    /// [`LogErrorKind::Full`](super::super::LogErrorKind::Full). Other appends of the same commit
    /// succeed. **No record is removed before it expires**, and expired records count until they
    /// are [swept](Self::sweep). A record about a selector that already has one is always accepted.
    /// A file that already has more records keeps them.
    #[must_use]
    pub fn ceiling(self, records: usize) -> Self {
        self.ceiling.store(records, Relaxed);
        self
    }

    /// Waits until everything that is queued is on the disk.
    ///
    /// The log stays open and accepts appends, other than after `FleetLog::close`. The file is
    /// closed when the last clone is dropped.
    ///
    /// # Errors
    ///
    /// Fails if it could not be written.
    pub async fn drain(&self) -> Result<(), LogError> {
        self.write(|_| Ok(())).await
    }

    /// Removes the records that have expired, and those that later records have replaced. Returns
    /// how many records it removed.
    ///
    /// The sweep runs in steps, and appends can run in between. Use
    /// [`sweep_every`](Self::sweep_every) to sweep periodically.
    ///
    /// # Errors
    ///
    /// Fails with [`ClockJumped`](super::super::LogErrorKind::ClockJumped) if the system's clock is
    /// ahead of the time that has passed. Nothing is removed then, because records would expire
    /// while their tokens are alive. Small steps ahead add up to a jump; a slow drift does not. The
    /// clock is trusted again once it has run evenly for as long as the jump was. Earlier jumps
    /// prolong that time, to at most an hour. After a restart, the time since the last write counts
    /// as a jump. With the feature `tracing`, an event reports the jump.
    ///
    /// Fails as well if the log could not be written.
    pub async fn sweep(&self) -> Result<u64, LogError> {
        let now = self.clock.now()?;
        let (mut removed, mut from) = (0, Some(0));
        while let Some(start) = from {
            let step = self.write(move |work| work.sweep(start, now)).await?;
            removed += step.removed;
            from = step.next;
        }
        Ok(removed)
    }

    /// [Sweeps](Self::sweep) once in every `period`, on the log's own thread, until the last clone
    /// of the log is dropped. A second call, on any clone, changes the period.
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
        let clock = self.clock.clone();
        let mut from = 0;
        self.every("sweeping the log", period, move |work| {
            let Ok(now) = clock.now() else {
                return Ok(false);
            };
            let next = work.sweep(from, now)?.next;
            from = next.unwrap_or(0);
            Ok(next.is_some())
        });
        self
    }

    /// Returns unused space to the file system. Returns whether the file was changed.
    ///
    /// Appends wait until it is done, and so does everything else that reads the file, such as
    /// `IssuedTokens`: call it at a time of low load. Checks by an
    /// [`Index`](crate::enforce::Index) continue.
    ///
    /// # Errors
    ///
    /// Fails if the file could not be written.
    pub async fn compact(&self) -> Result<bool, LogError> {
        let compact = self.writer.between_commits(|store, _| {
            store.check()?;
            store.with_exclusive(|database| Ok(database.compact()?))
        });
        compact.await
    }

    /// Copies the log to a new file, including other tables in the same file, such as registered
    /// tokens. The copy contains every append that returned before the call. It is durable when
    /// this method returns.
    ///
    /// Appends wait until the file is copied, about one second per gigabyte.
    /// [`restore`](Self::restore) makes a log from the copy.
    ///
    /// ```
    /// use tower_revocation::log::{
    ///     EmbeddedLog, NumericDate, Revocation, RevocationLog, Selector, Snapshot,
    /// };
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
    /// assert_eq!(Snapshot::of(&log).await?.records, [record]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// * [`Storage`](super::super::LogErrorKind::Storage) if there is already a file at `path`, or
    ///   it cannot be written.
    /// * [`Missing`](super::super::LogErrorKind::Missing) or
    ///   [`Replaced`](super::super::LogErrorKind::Replaced) if the log's own file was removed or
    ///   replaced.
    pub async fn backup(&self, path: impl AsRef<Path>) -> Result<(), LogError> {
        let path = path.as_ref().to_owned();
        let copied = self.writer.between_commits(move |store, _| {
            store.check()?;
            store.storage().copy_to(&path)
        });
        copied.await
    }

    /// Runs a task on the log's own thread once in every `period`, step by step. A step returns
    /// whether there is more to do in this period.
    pub(crate) fn every(
        &self,
        name: &'static str,
        period: Duration,
        step: impl FnMut(&mut Work<'_>) -> Result<bool, Fault> + Send + 'static,
    ) {
        self.writer.every(name, period, Box::new(step));
    }
}
