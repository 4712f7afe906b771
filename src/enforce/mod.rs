//! Revoked tokens are refused.

mod bearer;
mod body_error;
mod clock;
mod connection;
mod freshness;
mod future;
mod index;
mod judge;
mod layer;
mod life;
mod observe;
mod policy;
mod response;
mod service;
mod stream;
mod sync;
mod table;
mod tag;
mod verdict;
mod verified;
mod watch;

pub use body_error::BodyError;
pub use connection::{Connection, Severable};
pub use freshness::{Freshness, Readiness};
pub use future::EnforcementFuture;
pub use index::Index;
pub use layer::EnforcementLayer;
pub use life::{TokenEnd, TokenLife};
pub use policy::{Policy, WhenUnknown};
pub use service::EnforcementService;
pub use stream::EnforcedBody;
pub use verdict::{Refused, Verdict};
pub use verified::Verified;
pub use watch::End;
