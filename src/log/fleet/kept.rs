//! What a node keeps on its disk.

use std::sync::{Arc, Weak};

use futures::future::BoxFuture;

use super::{
    super::{Reader, Revocation},
    engine::{Cursor, Incarnation},
};

/// A copy of the log on the disk of a node. It may be behind.
pub(super) trait Kept: Send + Sync {
    /// Hands everything to a reader. Returns up to where that is the whole log, if that is known.
    fn tell(&self, reader: Weak<dyn Reader>) -> BoxFuture<'static, Option<KeptUpTo>>;

    /// Returns some records that follow on a place in the copy. `None` if it cannot be read.
    fn recall(&self, after: u64) -> BoxFuture<'static, Option<Recalled>>;

    /// The node has everything up to this record. `whole` is the incarnation of which that is true, if
    /// it has given back to the log what it remembers.
    fn seen(&self, whole: Option<Incarnation>, sequence: u64);

    /// Returns when the copy may have records that neither the node nor the log has. The next call of
    /// [`seen`](Kept::seen) is of a node that knows it.
    fn doubt(&self) -> BoxFuture<'static, ()>;

    /// What is wrong with the copy, for people.
    fn problem(&self) -> Option<Arc<str>>;
}

/// A copy has the whole log up to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeptUpTo {
    pub(super) incarnation: Incarnation,
    pub(super) cursor: Cursor,
}

/// A piece of a copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recalled {
    pub(crate) records: Vec<Revocation>,
    /// The place of the last of them, if more follow.
    pub(crate) next: Option<u64>,
}

/// What a node finds on its disk when it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The whole log was there up to here.
    pub(crate) cursor: Option<Cursor>,
    /// There was nothing yet.
    pub(crate) is_new: bool,
}
