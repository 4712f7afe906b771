//! The durable record of what was revoked.
//!
//! The log is the only truth about revocation. To revoke is to append one small [`Revocation`], and
//! that append is the commit point. A token is live if it is valid by itself and no record covers
//! it.
//!
//! A log is in memory ([`MemoryLog`]), in a file (`EmbeddedLog`), or shared by several processes
//! (`FleetLog`). The sections below are about the file. The guide
//! [`fleet`](crate::guide::fleet) is about those that share one.
//!
//! # When a log fails
//!
//! After a failed commit, for example on a full disk, the content of the disk is unknown.
//! `EmbeddedLog` then refuses every append, reads the file again, and recovers without help. The
//! first attempt comes after a second, and the pause grows to at most 30 seconds. A panic of the
//! writing thread is treated the same way. Until the log recovers:
//!
//! * Revocations fail with 503. `Retry-After` is the time until the next attempt.
//! * Checks continue: an [`Index`](crate::enforce::Index) keeps what it knows. A read of the file,
//!   as for a token of `IssuedTokens`, waits while the file is opened again.
//! * [`RevocationLog::health`] reports the failure, for readiness checks. With the feature
//!   `metrics`, the gauge `tower_revocation_log_writable` is 0, and the counter
//!   `tower_revocation_log_failures_total` counts failures and failed attempts by `kind`. With the
//!   feature `tracing`, each failed attempt is an event of level `ERROR` with the cause, and the
//!   recovery is an event of level `WARN`.
//!
//! # The file
//!
//! Before an append returns, and once a second, `EmbeddedLog` checks that the file at its path is
//! still the file that it has open. It compares device and inode. If the file is deleted, moved,
//! replaced, or hidden by a mount over its folder, appends fail until the file is back. A copy is
//! accepted in its place if it contains every record that was acknowledged. An older copy is
//! refused. **On platforms without inodes, only a missing file is noticed.** Do not put a log on a
//! file system whose inodes change by themselves, as they do on some user-space file systems.
//!
//! Use `EmbeddedLog::open_existing` where a log must already exist. In a rolling restart on one
//! machine, `open_within` and `open_existing_within` wait until the previous process closes the
//! file.
//!
//! # Incomplete commits
//!
//! A commit is one `fsync`. A crash of the machine during a commit can leave any part of its pages
//! on the disk. The store then finds that the checksum of a page (XXH3, 128 bits) is wrong, and
//! returns to the commit before. Every append that has returned is in the file.
//!
//! A checksum detects accidents, but not an attacker who knows the bytes of a page and chooses some
//! of them: an old page and a new one could have the same checksum. So **no peer chooses bytes in
//! the file**:
//!
//! * Records, the rows of `IssuedTokens` with their names, scopes and notes, and the contents of
//!   `EmbeddedJournal` are masked with `ChaCha20`. The key is random and made with the file. Each row has a nonce of its own.
//! * Used assertions and their clients, and the keys of `EmbeddedJournal`, are digests with another
//!   random key of the file.
//! * The key of an issued token is the digest of 256 random bits that this process has drawn.
//! * Some numbers are not masked: positions, epochs, the latest expiry of what was removed, the dates
//!   of entries of the journal, and when a used assertion expires. A peer chooses only the last of them, 12 bits within an hour, beside
//!   256 bits that it neither chooses nor knows.
//!
//! The keys are in the file and in every copy of it. They do not hide its content from those who can
//! read it. An attacker who reads the file, sends requests, decides which pages reach the disk, and
//! crashes the machine at the right moment could still forge half a commit. **Let only its owner
//! read the file**, as a new file does. Anyone who can write the file can change it directly.
//!
//! After a failed `fsync`, a system may show pages that never reached the disk. So the log then
//! makes the file refer to the last durable commit again, for this process and for the next one.
//!
//! # Backup and restore
//!
//! `EmbeddedLog::backup` copies the file while the log is in use, and `EmbeddedLog::restore` makes
//! a log from the copy. A copy made while no process has the file open, or a snapshot of the whole
//! volume, can also be put in place by hand.
//!
//! **Tokens that were revoked after the copy was made are live again**, and refresh tokens that
//! were exchanged after it can be exchanged again. If such tokens can still be alive, revoke all
//! tokens of their issuer. Assertions that were used after the copy was made are refused until they
//! expire, but only if the file was restored by `EmbeddedLog::restore`.
//!
//! Every opening begins a new incarnation of the log ([`Position::epoch`]). The file lists the last
//! 1024 incarnations before its own, and where each of them ended. So a log that has its file open
//! recognises an older copy in its place, whichever way it was restored.
//!
//! # Expired records and the clock
//!
//! Expired records are removed: see `EmbeddedLog::sweep_every`. If the clock is ahead, records
//! expire while their tokens are still alive. Two rules protect against that:
//!
//! * A sweep is refused while the system's clock is ahead of the time that has passed, measured by
//!   a clock that cannot be set. It fails with [`LogErrorKind::ClockJumped`], and an event of level
//!   `WARN` reports it. Small steps add up.
//! * The log stores the latest expiry of the records that it has removed
//!   ([`Reader::forgotten`]). While the clock is earlier than that, the state of tokens that
//!   expire before it is unknown: 503. No token is issued meanwhile in a grant whose record may
//!   have been removed.
//!
//! # The queue
//!
//! At most 16,384 appends can wait to be written to an `EmbeddedLog`. At most 1,024 of them can
//! belong to one client ([`RevocationLog::append_for`]).
//! [`RecordRevocation`](crate::revoke::RecordRevocation) names the client that revokes, and
//! `IssuedTokens` names the client to which the tokens are issued. An append whose future was
//! dropped counts until it is written.
//!
//! With the feature `metrics`:
//!
//! * The gauge `tower_revocation_log_queued_writes` is the number of waiting writes.
//! * The histogram `tower_revocation_log_write_duration_seconds` measures a write from the queue to
//!   the disk.
//! * The counter `tower_revocation_log_refused_writes_total` counts writes that were refused before
//!   they were tried.

mod ceiling;
mod checked_clock;
mod either;
#[cfg(feature = "embedded")]
mod embedded;
mod entry;
mod error;
#[cfg(feature = "fleet")]
mod fleet;
mod health;
#[cfg(feature = "admin")]
mod journal;
mod memory;
mod moment;
mod observe;
mod position;
mod readers;
mod revocation_log;
mod selector;
mod snapshot;

pub use crate::date::NumericDate;
pub use ceiling::Appended;
pub(crate) use checked_clock::CheckedClock;
#[cfg(feature = "embedded")]
#[cfg_attr(docsrs, doc(cfg(feature = "embedded")))]
pub use embedded::EmbeddedLog;
#[cfg(all(
    feature = "embedded",
    any(
        feature = "admin",
        feature = "fleet",
        feature = "issued",
        feature = "jwt"
    )
))]
pub(crate) use embedded::Fault;
#[cfg(feature = "issued")]
pub(crate) use embedded::SweepStep;
#[cfg(all(
    feature = "embedded",
    any(feature = "admin", feature = "issued", feature = "jwt")
))]
pub(crate) use embedded::{FileKey, Work};
pub use entry::Revocation;
pub use error::{LogError, LogErrorKind};
#[cfg(all(feature = "admin", feature = "fleet"))]
#[cfg_attr(
    docsrs,
    doc(cfg(all(
        feature = "admin",
        any(feature = "feed", feature = "postgres", feature = "redis")
    )))
)]
pub use fleet::FleetJournal;
#[cfg(feature = "feed")]
#[cfg_attr(docsrs, doc(cfg(feature = "feed")))]
pub use fleet::{FeedBody, FeedFuture, FeedService, FeedSource};
#[cfg(feature = "fleet")]
#[cfg_attr(
    docsrs,
    doc(cfg(any(feature = "feed", feature = "postgres", feature = "redis")))
)]
pub use fleet::{FleetAck, FleetAssumption, FleetLog, FleetLogBuilder, FleetMember};
#[cfg(all(feature = "issued", feature = "postgres"))]
pub(crate) use fleet::{Issued, IssuedTables, NewRow, OldToken};
#[cfg(all(feature = "fleet", feature = "jwt"))]
pub(crate) use fleet::{OnceResult, OnceStore, OnceUse};
pub use health::LogHealth;
#[cfg(all(feature = "admin", feature = "embedded"))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "admin", feature = "embedded"))))]
pub use journal::EmbeddedJournal;
#[cfg(all(feature = "admin", feature = "fleet"))]
use journal::check_lengths;
#[cfg(feature = "admin")]
#[cfg_attr(docsrs, doc(cfg(feature = "admin")))]
pub use journal::{
    Journal, JournalChange, JournalEntry, JournalWrite, MemoryJournal, NewJournalEntry,
};
pub use memory::MemoryLog;
pub use moment::Moment;
pub use position::Position;
pub use readers::Reader;
pub use revocation_log::{Durability, RevocationLog};
pub use selector::{Selector, SelectorClass};
pub use snapshot::Snapshot;
