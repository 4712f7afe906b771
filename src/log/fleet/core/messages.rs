//! What does a node hear, and what does it do then?

use std::{sync::Arc, time::Duration};

use super::super::{
    super::{Appended, LogError, Moment, NumericDate, Position, Revocation, Selector},
    FleetMember,
    engine::{Append, Ask, Batch, Committed, Cursor, Incarnation, Page},
    kept::Recalled,
};
use super::{clock::ClockOffset, members::with_drift, progress::Progress};

/// How one node takes part.
#[derive(Clone, Debug)]
pub(crate) struct NodeSettings {
    /// How long a node may rely on what it knows, counted from the question.
    pub(crate) lease: Duration,
    /// How long a caller waits for the engine.
    pub(crate) append_timeout: Duration,
    /// Whether a caller waits until all members have the records too.
    pub(crate) waits: bool,
    /// A random number. Nodes with the same seed ask at the same time and draw the same marks.
    pub(crate) seed: u64,
    /// What people call the node.
    pub(crate) name: Arc<str>,
}

impl NodeSettings {
    /// How long a poll waits for its answer, so that there is time for another one in the lease.
    pub(crate) fn poll_timeout(&self) -> Duration {
        self.lease * 2 / 5
    }

    /// How long a caller waits.
    pub(crate) fn caller_timeout(&self) -> Duration {
        let members = if self.waits {
            with_drift(self.lease)
        } else {
            Duration::ZERO
        };
        self.append_timeout + members
    }

    /// The time from one poll to the next, if there is nothing new.
    pub(crate) fn poll_interval(&self) -> Duration {
        self.lease / 5
    }
}

#[derive(Debug)]
pub(crate) enum Event {
    /// The time of [`Core::wake_at`](super::Core::wake_at) has come. Does no harm at other times.
    Timer,
    /// There may be new records.
    Hint,
    /// Those that follow this node have more than it has reported, and somebody waits for that.
    Report,
    /// A reader was added. It is complete at the next [`Action::Complete`].
    Follow,
    /// A reader was added. It has everything up to this cursor already.
    FollowAfter(Cursor),
    /// The result of [`Action::Recall`]. `None` if the disk cannot be read.
    Recalled(Option<Recalled>),
    /// The copy of the log on the disk may have records that neither the node nor the log has.
    Doubt,
    /// The result of the poll. A poll without one within [`NodeSettings::poll_timeout`] is given up, and has failed.
    Polled(Result<Page, LogError>),
    /// The result of [`Action::Begin`].
    Begun(Result<(), LogError>),
    /// A caller appends. The number is the caller's own until the answer.
    Append {
        id: u64,
        /// On whose behalf, for the client's quota of the queue.
        client: Option<Selector>,
        batch: Batch,
    },
    /// The result of the append. An append without one within the time-out is given up, and has
    /// failed: until then no other one is sent.
    Committed(Result<Committed, LogError>),
}

/// Actions are carried out in their order. Readers have what they get before the next one.
#[derive(Debug)]
pub(crate) enum Action {
    /// Polls the engine. No other poll is in flight.
    Poll(Ask),
    /// Begins another incarnation after this one. No poll is in flight.
    Begin(Incarnation),
    /// Appends to the engine. No other append is in flight.
    Append(Append),
    /// Connects to the engine again: the server that answered has been replaced by another one.
    Reconnect,
    /// Reads from the disk what follows on this place. Replaces what was asked for before.
    Recall(u64),
    /// Hands records to every reader.
    Read(Vec<Revocation>),
    /// Tells every reader what the log has removed.
    Forgotten(NumericDate),
    /// Tells every reader that it is complete as of this moment.
    Complete { position: Position, asked: Moment },
    /// Returns the result of an append. `None` if more selectors than allowed are new.
    Answer {
        id: u64,
        result: Result<Option<Appended>, LogError>,
    },
}

/// What operators want to know of a node.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    /// For how long the engine has answered every poll. `None` if it did not answer the last one.
    pub(crate) reachable_for: Option<Duration>,
    /// Set if the last append failed, or else the last poll.
    pub(crate) failing: Option<Failing>,
    /// How long ago the readers were complete. `None` until they are for the first time.
    pub(crate) complete_for: Option<Duration>,
    /// How many callers wait for an append.
    pub(crate) queued: usize,
    pub(crate) clock_offset: ClockOffset,
    /// Set while the node reads a part of the log that has several pages.
    pub(crate) reading: Option<Progress>,
    /// The members as of the last report.
    pub(crate) members: Arc<[FleetMember]>,
}

/// A request that has failed each time for a while.
#[derive(Clone, Debug)]
pub(crate) struct Failing {
    /// Why it failed the last time.
    pub(crate) cause: LogError,
    pub(crate) lasting: Duration,
    /// When it is sent again. Zero while it is in flight.
    pub(crate) retry_in: Duration,
}
