//! The decision for proxies of others: they ask over HTTP whether a request may pass.
//!
//! **The proxy asks once for each request.** A revocation refuses the next request. It does not end
//! a response or a WebSocket that is open: only the process that its bytes pass through can cut it,
//! such as a `ReverseProxy` behind an `EnforcementLayer`.

mod body;
mod future;
mod head;
mod original;
mod permit;
mod service;

pub use body::VerifyBody;
pub use future::VerifyFuture;
pub use service::VerifyService;
#[cfg(feature = "ext-authz")]
pub(super) use {
    head::{KnownRoute, clean},
    original::original,
    permit::{Decision, Permit, decision, unavailable},
};
