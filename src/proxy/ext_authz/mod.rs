//! Envoy's external authorization over gRPC (`envoy.service.auth.v3.Authorization/Check`).
//!
//! It is the decision of a [`VerifyService`](super::VerifyService) on another wire. As there, **Envoy
//! asks once for each request**: a response or a WebSocket that is open is not cut.

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
pub use service::ExtAuthzService;
