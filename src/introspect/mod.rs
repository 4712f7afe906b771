//! What is this token? Whose is it? Until when?
//!
//! The endpoint asks "whose is this?" before it revokes, and whoever lets requests through asks "is
//! this genuine, and what could have revoked it?". Both ask the same `Service<Secret>`, whose
//! response converts into [`Introspected`]. An `Option<Introspection>` does: `Some` is a token that
//! is genuine and ours, even when it has expired, was rotated or is revoked; `None` is certainly
//! not a token that the service is responsible for. An error means "could not find out".
//!
//! **A service that wraps another hands on the same [`Secret`](crate::Secret)**, or a clone of it. It
//! carries which authenticated client asks, so that `JwtTokens` may fetch keys for that client before
//! the cool-down has passed: a new `Secret` with the same text waits for the cool-down, and its
//! revocation is 503 until then.

mod by_format;
mod introspected;
mod introspection;
#[cfg(feature = "issued")]
#[cfg_attr(docsrs, doc(cfg(feature = "issued")))]
pub mod issued;
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub mod jwt;
mod members;
mod not_valid_now;
#[cfg(feature = "upstream")]
#[cfg_attr(docsrs, doc(cfg(feature = "upstream")))]
pub mod upstream;

pub use by_format::{ByFormat, ByFormatFuture};
pub use introspected::{Introspected, Reason};
pub use introspection::{Claims, Introspection};
pub use members::{Confirmation, Scope, TokenKind, TokenType};
pub use not_valid_now::NotValidNow;
