//! OAuth 2.0 token revocation as a Tower layer.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod by_hint;
pub mod client;
mod endpoint;
#[cfg(feature = "log")]
#[cfg_attr(docsrs, doc(cfg(feature = "log")))]
pub mod enforce;
mod future;
#[cfg(feature = "log")]
#[cfg_attr(docsrs, doc(cfg(feature = "log")))]
pub mod introspect;
mod layer;
#[cfg(feature = "log")]
#[cfg_attr(docsrs, doc(cfg(feature = "log")))]
pub mod log;
#[cfg(feature = "log")]
#[cfg_attr(docsrs, doc(cfg(feature = "log")))]
pub mod revoke;
mod service;
mod token;

pub use body::ResponseBody;
pub use by_hint::{ByHint, ByHintFuture};
pub use endpoint::{Endpoint, EndpointFuture, Error, ErrorKind, SuccessBody};
pub use future::ResponseFuture;
pub use layer::RevocationLayer;
pub use service::RevocationService;
pub use token::{Outcome, RevocationRequest, Secret, TokenTypeHint};
