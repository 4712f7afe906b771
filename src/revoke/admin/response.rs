//! What was revoked, and until when the record is kept.

#[cfg(doc)]
use super::AdminRequest;
use crate::log::{NumericDate, Position};

/// The result of an [`AdminRequest`]: the tokens are revoked, and the record is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminResponse {
    /// The position of the log once the record was durable. Every reader that has reached it
    /// refuses the tokens.
    pub position: Position,
    /// The last second of issue that is covered. For a grant, a session or a token it is
    /// [`NumericDate::FOREVER`].
    pub not_before: NumericDate,
    /// The record is kept at least until then.
    pub expires: NumericDate,
}
