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

    /// The node ends: nobody renews a lease by what it says from now on. Returns whether somebody may
    /// still rely on what it has said.
    fn end(&self) -> bool;
}
