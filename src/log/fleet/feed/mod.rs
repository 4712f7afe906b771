//! A log over HTTP, for nodes that cannot reach the engine.
//!
//! A *relay* is any node that serves its log. A *leaf* follows a relay, and can be a relay itself. A
//! request is a poll, and waits at the relay until there is something new. Its answer says how old
//! the knowledge of the relay is, and the leaf counts its lease from then on.

mod codec;
#[cfg(feature = "embedded")]
mod file;
mod leaf;
mod question;
mod relay;
mod service;
#[cfg(test)]
mod tests;
mod view;

pub use self::service::{FeedBody, FeedFuture, FeedService, FeedSource};
pub(super) use self::{leaf::Leaf, relay::Relay};
