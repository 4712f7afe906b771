//! When does an append count?

/// When an append to a [`FleetLog`](super::FleetLog) returns. See
/// [`FleetLogBuilder::ack`](super::FleetLogBuilder::ack).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FleetAck {
    /// It returns once the database has stored the records. A process that is cut off accepts a
    /// token until its lease ends.
    #[default]
    Durable,
    /// It returns once every process refuses the token. Usually that takes three round trips to the
    /// database, and at worst 1.02 times the lease and two round trips: if a process does not
    /// answer, or in the first lease after this process or the database has started.
    Fleet,
}
