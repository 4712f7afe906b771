//! A reverse proxy as a Tower service, and what every proxy in front of an API needs.
//!
//! A request passes these from the first to the last:
//!
//! 1. [`server::Server`] accepts connections and bounds them.
//! 2. [`SanitizeLayer`] refuses ambiguous requests, and removes the fields with which a client could
//!    claim to be another one.
//! 3. [`EnforcementLayer`](crate::enforce::EnforcementLayer) refuses revoked tokens.
//! 4. [`IdentityHeaders`] tell the API whose token it is, in fields that no client can forge.
//! 5. [`ReverseProxy`] forwards the request to an [`Upstream`], and cuts an open response or
//!    WebSocket when its token ends.
//!
//! Each works without the others. [`VerifyService`] is for proxies of others, which ask it once for
//! each request whether it may pass. What is open then is not cut.

mod canonical;
mod error;
#[cfg(feature = "ext-authz")]
#[cfg_attr(docsrs, doc(cfg(feature = "ext-authz")))]
pub mod ext_authz;
mod fields;
mod identity;
mod observe;
mod reverse;
mod sanitize;
pub mod server;
mod timer;
mod upstream;
mod verify;

pub use self::{
    canonical::is_canonical,
    error::{Error, ErrorKind},
    identity::IdentityHeaders,
    reverse::{AllowWebSocket, ForwardFuture, ForwardedBody, ReverseProxy},
    sanitize::{SanitizeLayer, SanitizeService, SanitizedBody},
    upstream::Upstream,
    verify::{VerifyBody, VerifyFuture, VerifyService},
};
