//! Introspection: what a token is, whose it is, and until when it is valid.
//!
//! The revocation endpoint introspects a token to find out whose it is. Enforcement introspects a
//! token to find out whether it is genuine, and which records revoke it. Both call the same
//! `Service<Secret>`. Its response converts into [`Introspected`], as `Option<Introspection>` does:
//! `Some` is a token that is genuine and ours, even if it has expired, was rotated or is revoked.
//! `None` is certainly not a token that the service is responsible for. If the service cannot find
//! out, it returns an error.
//!
//! | Introspection | Of which tokens |
//! |---|---|
//! | `jwt::JwtTokens` | JWTs of an issuer, verified with its keys |
//! | `upstream::Upstream` | tokens of another server, which is asked (RFC 7662) |
//! | `issued::IssuedTokens` | opaque tokens that this server issues and stores |
//! | [`ByFormat`] | JWTs by one introspection, opaque tokens by another |
//! | `ByIssuer` | those of several issuers, each by its own introspection |
//! | a `Service<Secret>` of your own | the tokens in your own table |
//!
//! **A service that wraps another one passes on the same [`Secret`](crate::Secret)**, or a clone of
//! it. The `Secret` carries the authenticated client that asks, so that `JwtTokens` may fetch keys
//! for this client before the cool-down has passed. With a new `Secret` of the same text it waits
//! for the cool-down, and the endpoint returns the revocation with 503 until then.

mod by_format;
#[cfg(feature = "jwt")]
mod by_issuer;
mod introspected;
mod introspection;
#[cfg(feature = "issued")]
#[cfg_attr(docsrs, doc(cfg(feature = "issued")))]
pub mod issued;
mod issued_with;
#[cfg(feature = "jwt")]
mod json;
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub mod jwt;
mod members;
mod memo;
mod not_valid_now;
#[cfg(feature = "upstream")]
#[cfg_attr(docsrs, doc(cfg(feature = "upstream")))]
pub mod upstream;

pub use by_format::{ByFormat, ByFormatFuture};
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub use by_issuer::{ByIssuer, ByIssuerFuture};
pub use introspected::{Introspected, Reason};
pub use introspection::{Claims, Introspection};
pub use issued_with::IssuedWith;
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub use json::ClaimsError;
pub use members::{Confirmation, Scope, TokenKind, TokenType};
pub(crate) use memo::{MOST_SELECTORS, Numbers};
pub use not_valid_now::NotValidNow;
