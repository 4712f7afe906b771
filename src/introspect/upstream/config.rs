//! The settings of an `Upstream`, as data.

use std::time::Duration;

use hyper::{Uri, header::HeaderValue};

use super::{response::ClaimNames, signed::Signer};
use crate::{outbound::ConnectionSettings, token::Secret};

/// The longest response that is read, in bytes. Responses are far shorter.
pub(super) const MAX_RESPONSE: usize = 64 * 1024;
/// The longest response that is cached, in bytes. An entry has the response as JSON and the members
/// that were read from it, so it takes about twice as much memory at most.
pub(super) const MAX_CACHED: usize = 4 * 1024;

/// Everything that a request and its response depend on.
#[derive(Clone)]
pub(super) struct Config {
    pub(super) uri: Uri,
    pub(super) authorization: Option<HeaderValue>,
    /// The client and its secret, if they are sent in the body.
    pub(super) in_body: Option<(String, Secret)>,
    pub(super) claim_names: ClaimNames,
    pub(super) signer: Option<Signer>,
    pub(super) connection: ConnectionSettings,
}

impl Config {
    pub(super) fn media_type(&self) -> &'static str {
        match self.signer {
            Some(_) => "application/token-introspection+jwt",
            None => "application/json",
        }
    }
}

/// How long a response is cached, and how many are.
#[derive(Clone, Copy)]
pub(super) struct CacheLimits {
    pub(super) ttl: Duration,
    pub(super) capacity: usize,
}
