//! The settings of a request and its response, as data.

use hyper::{Uri, header::HeaderValue};

use super::{response::ClaimNames, signed::Signer};
use crate::{outbound::ConnectionSettings, token::Secret};

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
