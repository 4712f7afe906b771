//! The contract of a log.

use std::{future::Future, sync::Weak, time::Duration};

#[cfg(doc)]
use super::LogErrorKind;
use super::{Appended, LogError, LogHealth, Position, Reader, Revocation, Selector};

/// What "durable" means for a log: the weakest guarantee with which its `append` returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// In the memory of this process only.
    Volatile,
    /// On the disk of one machine, by `fsync`.
    Disk,
    /// On the disks of more than one machine. The loss of one of them loses no record.
    Replicated,
}

/// The log of revocations.
///
/// [`tower::util::Either`] of two logs is a log too, for a program that chooses one when it starts.
///
/// **A log that wraps another must forward every method.** The compiler does not require the
/// methods that have a default, and the defaults do less than the inner log:
///
/// ```
/// use std::{sync::Weak, time::Duration};
/// use tower_revocation::log::{
///     Appended, Durability, LogError, LogHealth, Position, Reader, Revocation, RevocationLog,
///     Selector,
/// };
///
/// /// Prints every record.
/// #[derive(Clone)]
/// struct Printed<L>(L);
///
/// impl<L: RevocationLog + Sync> RevocationLog for Printed<L> {
///     async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
///         println!("{batch:?}");
///         self.0.append(batch).await
///     }
///
///     async fn append_at_most(
///         &self,
///         new: usize,
///         batch: Vec<Revocation>,
///     ) -> Result<Option<Appended>, LogError> {
///         println!("{batch:?}");
///         self.0.append_at_most(new, batch).await
///     }
///
///     async fn append_for(
///         &self,
///         client: Selector,
///         new: usize,
///         batch: Vec<Revocation>,
///     ) -> Result<Option<Appended>, LogError> {
///         println!("{batch:?}");
///         self.0.append_for(client, new, batch).await
///     }
///
///     fn health(&self) -> LogHealth {
///         self.0.health()
///     }
///
///     async fn follow(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
///         self.0.follow(reader).await
///     }
///
///     fn durability(&self) -> Durability {
///         self.0.durability()
///     }
///
///     fn lease(&self) -> Option<Duration> {
///         self.0.lease()
///     }
/// }
/// ```
pub trait RevocationLog {
    /// Appends a whole batch or nothing. Returns the position of its last record once the batch is
    /// durable in the sense of [`durability`](Self::durability).
    ///
    /// * A record that is already covered is not written again. The append then returns once the
    ///   record that covers it is durable.
    /// * Every reader in this process sees the records before the append returns.
    /// * A batch is queued when the future is first polled, or earlier. Dropping the future does
    ///   not cancel a queued batch.
    /// * After a failed commit the content of the disk is unknown. The log refuses every append
    ///   until it has read the disk again, and [`health`](Self::health) reports that.
    ///
    /// # Errors
    ///
    /// Fails if the queue is full, or if the batch could not be made durable. In the second case
    /// the batch may be in the log nevertheless. Fails with [`LogErrorKind::Full`] if the batch
    /// would exceed the ceiling of the log; nothing was appended then. If the time for a retry is
    /// known, a [`crate::Error`] in the source chain contains it.
    fn append(
        &self,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Position, LogError>> + Send;

    /// Appends as [`append`](Self::append) does, if at most `new` selectors of the batch are new to
    /// the log. Returns `None` if there are more; nothing was appended then.
    ///
    /// The default counts every record as new, for logs that can only append. **A log that wraps
    /// another must forward this method.** Otherwise every repeated revocation uses up the client's
    /// quota.
    ///
    /// # Errors
    ///
    /// Fails as [`append`](Self::append) does.
    fn append_at_most(
        &self,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send {
        let added = batch.len();
        let append = (added <= new).then(|| self.append(batch));
        async move {
            let Some(append) = append else {
                return Ok(None);
            };
            let position = append.await?;
            Ok(Some(Appended::new(position, added)))
        }
    }

    /// Appends as [`append_at_most`](Self::append_at_most) does, on behalf of a client.
    ///
    /// A log with a queue gives each client a quota of it, so that no client fills the whole queue.
    /// The default ignores the client. **A log that wraps another must forward this method.**
    /// Otherwise one client can fill the queue of the inner log.
    ///
    /// # Errors
    ///
    /// Fails as [`append`](Self::append) does. Fails with [`LogErrorKind::QueueFull`] if the
    /// client's quota of the queue is used up; nothing was queued then.
    fn append_for(
        &self,
        client: Selector,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send {
        let _ = client;
        self.append_at_most(new, batch)
    }

    /// Returns whether the log accepts appends, and whether its process is ready.
    ///
    /// A log that cannot fail returns [`LogHealth::writable`]. A log that wraps another returns the
    /// health of the inner log.
    fn health(&self) -> LogHealth;

    /// Hands every record to a reader, in pieces, and then each new one.
    ///
    /// When this method returns, the reader is [complete](Reader::complete) as of the call. It gets
    /// each later record of this process before its `append` returns. A reader that was dropped is
    /// forgotten. A reader that follows twice gets each new record once.
    ///
    /// # Errors
    ///
    /// Fails if the log cannot be read. The reader does not follow it then, and keeps what it got.
    fn follow(&self, reader: Weak<dyn Reader>)
    -> impl Future<Output = Result<(), LogError>> + Send;

    /// Returns where the records of an append are once it has returned.
    fn durability(&self) -> Durability;

    /// Returns how long a reader may rely on what it knows, counted from the moment as of which it is
    /// [complete](Reader::complete). Defaults to 5 s. The log tells readers several times within this
    /// time that they are complete.
    ///
    /// `None` if every append to the log goes through this process: its readers are never behind.
    fn lease(&self) -> Option<Duration> {
        Some(Duration::from_secs(5))
    }
}
