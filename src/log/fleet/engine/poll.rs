//! What a node asks and says of itself, and what an engine answers.

use std::{sync::Arc, time::Duration};

use super::{
    super::super::{NumericDate, Revocation},
    Cursor, Incarnation,
};

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
    /// About how many records follow the cursor of the poll, those of this page included. For people,
    /// and for how much a node remembers while it reads.
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
