//! When does an append count?

/// When an append to a [`FleetLog`](super::FleetLog) returns. See
/// [`FleetLogBuilder::ack`](super::FleetLogBuilder::ack).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FleetAck {
    /// Once the database has stored the records. A process that is cut off accepts a token until its
    /// lease ends.
    #[default]
    Durable,
    /// Once every process refuses the token. Usually that takes three round trips to the database. If
    /// a process does not answer, it takes until its lease has ended.
    Fleet,
}
