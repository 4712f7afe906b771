//! What the core asks of an engine, and what an engine answers. An engine carries requests and
//! decides nothing.

use std::{future::Future, sync::Arc, time::Duration};

use super::super::{Durability, LogError, NumericDate, Revocation};
#[cfg(feature = "jwt")]
use super::once::OnceStore;

/// One life of a log. Another one begins when the engine may have lost records: after a failover, or
/// when it was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Incarnation(pub(crate) u64);

/// The last record that a node has.
///
/// The number alone does not show that the engine has lost its tail and gained other records since.
/// The mark does: it is random, and stored with each record of an append.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Cursor {
    pub(crate) sequence: u64,
    pub(crate) mark: u64,
}

/// A poll.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// The last record that the node has.
    pub(crate) after: Cursor,
    /// Which node asks: a random number, drawn when the node starts.
    pub(crate) member: u64,
    /// What the node says of itself. `None`: the engine only reads, but still shows that it can make
    /// something durable.
    pub(crate) report: Option<Report>,
    /// Members to strike out, each only if its beat is still this.
    pub(crate) silent: Vec<Silent>,
}

#[cfg(any(feature = "embedded", feature = "feed"))]
impl Ask {
    /// Asks for records, on behalf of no member.
    pub(crate) fn reading(after: Cursor) -> Self {
        Self {
            after,
            member: 0,
            report: None,
            silent: Vec::new(),
        }
    }
}

/// What a node says of itself. The engine stores it and adds one to the member's beat.
///
/// A node that is not listed is listed from then on, but only if it has healed in the current
/// incarnation: it would hold up the others.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// For people: the machine and the process.
    pub(crate) name: Arc<str>,
    /// The node's readers have every record up to here. On a relay, the readers of those that follow
    /// it have them as well.
    pub(crate) applied: u64,
    /// The incarnation in which the node has given back what it remembers.
    pub(crate) healed: Incarnation,
    /// Whether this node's appends wait for all members. Then all members report soon after each
    /// record.
    pub(crate) waits: bool,
}

/// A member that was not heard of for long, and its beat since then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Silent {
    pub(crate) member: u64,
    pub(crate) beat: u64,
}

/// A node, as the engine lists it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: u64,
    pub(crate) name: Arc<str>,
    /// Grows by one with each report. A node that is listed again begins with a higher one than it
    /// ever had: the time in milliseconds.
    pub(crate) beat: u64,
    pub(crate) applied: u64,
    pub(crate) healed: Incarnation,
}

/// Does the log have the record of a cursor?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum History {
    /// Yes, or the cursor is the beginning.
    Same,
    /// A sweep has removed it, or may have. That is usual for a node that is far behind. The records
    /// are from the beginning.
    Swept,
    /// No: the log has lost its end. The records are from the beginning.
    Other,
}

/// The records after a cursor, in the order of the log, as of the moment at which the engine
/// answered.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) incarnation: Incarnation,
    pub(crate) history: History,
    /// The last record of this page, or the cursor if there is none.
    pub(crate) upto: Cursor,
    pub(crate) records: Vec<Revocation>,
    /// Whether there are more records after this page.
    pub(crate) more: bool,
    /// About how many records follow the cursor of the poll, those of this page included. For people.
    pub(crate) expected: Option<u64>,
    /// The latest expiry of the records that were removed.
    pub(crate) forgotten: NumericDate,
    pub(crate) membership: Membership,
    /// How old the knowledge was when it was sent. Zero for an engine. A relay says how long ago it
    /// was complete.
    pub(crate) age: Duration,
    /// The time since 1970 by the engine's clock, if it has one.
    pub(crate) engine_now: Option<Duration>,
}

/// What the engine knows of the nodes, after the report and the strike-outs of a poll.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    /// Whether the node was listed before this poll. If not, an append that waits for all members
    /// may have missed it.
    pub(crate) was_listed: bool,
    /// Whether a listed member has not healed in this incarnation.
    pub(crate) barrier: bool,
    /// Whether the appends of some member wait for all members.
    pub(crate) report_wanted: bool,
    /// All members. Empty if the poll had no report and removed no member.
    pub(crate) members: Vec<Member>,
}

/// What one caller appends, whole or not at all.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Revocation>,
    /// At most this many selectors may be new to the log.
    pub(crate) new: usize,
}

/// The batches of the callers that waited, in one transaction.
#[derive(Clone, Debug)]
pub(crate) struct Append {
    /// Drawn for this request. The same request, sent again, has another one.
    pub(crate) mark: u64,
    pub(crate) batches: Vec<Batch>,
    /// A node gives back records that the log had before. They are not stamped again, and neither
    /// limits nor the ceiling hold.
    pub(crate) as_given: bool,
}

/// The answer to a whole request. It is durable.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    pub(crate) incarnation: Incarnation,
    /// When the engine committed, by its clock, and never earlier than the record before. See
    /// [`stamped`].
    pub(crate) at: NumericDate,
    /// One for each batch.
    pub(crate) batches: Vec<Done>,
}

/// What became of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// The log has the records, or records that cover them.
    Appended {
        /// The last record of the log after this batch.
        sequence: u64,
        /// How many selectors were new.
        added: usize,
    },
    /// More selectors than allowed are new. Nothing was appended.
    TooMany,
    /// The log would exceed its ceiling. Nothing was appended.
    Full,
}

pub(crate) trait Engine: Send + Sync + 'static {
    /// Reads at most some thousand records after a cursor, and stores the report.
    ///
    /// Where a failover is possible, the engine answers only after it has shown that it can still
    /// make something durable: an old primary still answers reads.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer.
    fn poll(&self, ask: Ask) -> impl Future<Output = Result<Page, LogError>> + Send;

    /// Reads the records after a cursor, as a poll without a report does, for those that follow this
    /// node over HTTP, and for the copy on its disk. It must not get in the way of the node's own polls: an engine with connections
    /// has one of its own for it.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer.
    #[cfg(any(feature = "embedded", feature = "feed"))]
    fn read(&self, after: Cursor) -> impl Future<Output = Result<Page, LogError>> + Send {
        self.poll(Ask::reading(after))
    }

    /// How old what it says may be while nothing fails. A relay says how old its knowledge is.
    #[cfg(feature = "feed")]
    fn delay(&self) -> Duration {
        Duration::ZERO
    }

    /// Why nothing can be appended, if this engine only reads.
    fn read_only(&self) -> Option<&'static str> {
        None
    }

    /// Appends in one transaction, and returns once it is durable. Without a batch, it does all that
    /// an append does, but leaves no record: it shows whether the engine accepts appends.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer. The batches may be in the log nevertheless. To
    /// send them again does no harm.
    fn append(&self, append: Append) -> impl Future<Output = Result<Committed, LogError>> + Send;

    /// Begins another incarnation, with a random number, if this one is still the current one. A node
    /// that finds that the log has lost its end calls it, so that all nodes notice.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer.
    fn begin(&self, after: Incarnation) -> impl Future<Output = Result<(), LogError>> + Send;

    /// An answer came from a server that has been replaced by another one. The engine connects again,
    /// and tries other servers first, if there are several.
    fn reconnect(&self) {}

    /// Removes a node that ends from the list, so that others do not wait for it.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer. Others strike the member out then.
    fn leave(&self, member: u64) -> impl Future<Output = Result<(), LogError>> + Send;

    /// Returns when there may be new records. Only a hint: it can be too early, too late or never.
    fn hint(&self) -> impl Future<Output = ()> + Send;

    /// Removes records that have expired by the engine's clock, and those that later ones have
    /// replaced. Returns how many.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer.
    fn sweep(&self) -> impl Future<Output = Result<u64, LogError>> + Send;

    /// What distinguishes this log from others. It stays the same in all incarnations.
    #[cfg(feature = "embedded")]
    fn id(&self) -> Arc<str> {
        Arc::default()
    }

    /// Where issued tokens can be stored. `None` if the engine has no tables for them.
    #[cfg(all(feature = "issued", feature = "postgres"))]
    fn issued_server(&self) -> Option<super::postgres::IssuedServer> {
        None
    }

    /// Where the engine remembers what may be used only once, if it does.
    #[cfg(feature = "jwt")]
    fn once_store(&self) -> Option<Arc<dyn OnceStore>> {
        None
    }

    /// What the settings of the engine guarantee, as checked when it was opened.
    fn durability(&self) -> Durability;
}

/// How far the clock of a node may be off, in seconds. A watermark that is older than this by the
/// engine's clock was meant for the past.
pub(crate) const SKEW: u64 = 60;

/// Returns a record as the engine stores it.
///
/// Nodes have different clocks. A node that is behind would revoke "everything until now", and spare
/// tokens that another node has issued before. So a watermark that was meant for now is raised to
/// the engine's time.
///
/// The engine's time `at` is its clock, or the time of the newest record if that is later: its clock
/// may go back a little. A record that is further ahead than [`SKEW`] does not count. Its clock was
/// wrong then, and no watermark would be raised until it catches up.
pub(crate) fn stamped(record: Revocation, at: NumericDate) -> Revocation {
    let given = record.not_before();
    if given >= at || given.seconds().saturating_add(SKEW) < at.seconds() {
        return record;
    }
    Revocation::watermark(record.selector(), at, record.expires())
}
