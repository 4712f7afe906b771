//! What is this token? Whose is it? Until when?
//!
//! The endpoint asks "whose is this?" before it revokes, and whoever lets requests through asks "is
//! this genuine, and what could have revoked it?". Both ask the same service: `Service<Secret,
//! Response = Option<Introspection>>`. `Some` means genuine and ours, even when it is expired,
//! rotated or revoked; `None` means certainly not; an error means that it could not be found out.

mod by_shape;
mod introspection;
#[cfg(feature = "issued")]
#[cfg_attr(docsrs, doc(cfg(feature = "issued")))]
pub mod issued;
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub mod jwt;
mod members;
#[cfg(feature = "upstream")]
#[cfg_attr(docsrs, doc(cfg(feature = "upstream")))]
pub mod upstream;

pub use by_shape::{ByShape, ByShapeFuture};
pub use introspection::{Claims, Introspection};
pub use members::{Confirmation, Scope, TokenKind, TokenType};
