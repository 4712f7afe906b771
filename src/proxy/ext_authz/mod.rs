//! Envoy's external authorization over gRPC (`envoy.service.auth.v3.Authorization/Check`).
//!
//! It is the decision of a [`VerifyService`](super::VerifyService) on another wire. **Envoy asks once
//! for each request**: a revocation refuses the next request, and does not end a response, a call or
//! a WebSocket that is open.

mod body;
mod frame;
mod future;
mod messages;
mod read;
mod request;
mod response;
mod service;

pub use body::ExtAuthzBody;
pub use future::ExtAuthzFuture;
pub use service::{ExtAuthzService, unavailable};
