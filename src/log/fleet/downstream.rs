//! What a driver tells those that follow its node over HTTP, and hears of them.

use futures::future::BoxFuture;

use super::{
    super::{Moment, Position},
    engine::{Cursor, Incarnation, Page},
};

/// Those that follow a node.
pub(super) trait Downstream: Send + Sync {
    /// The engine has answered a poll for the records after this cursor.
    fn polled(&self, after: Cursor, page: &Page);

    /// The node is complete as of this moment.
    fn complete(&self, position: Position, asked: Moment);

    /// Returns up to which record of an incarnation all have everything, if the node has it up to
    /// `own`.
    fn applied(&self, of: Incarnation, own: u64) -> u64;

    /// Returns when all have more than `applied` has returned, and somebody waits for it.
    fn grown(&self) -> BoxFuture<'static, ()>;

    /// The node ends. From now on, its answers renew no lease. Returns whether a lease may still depend on
    /// an earlier answer.
    fn end(&self) -> bool;
}
