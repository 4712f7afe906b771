//! Settings of a connection to another server.

use std::{sync::Arc, time::Duration};

use rustls::RootCertStore;

use super::{
    error::OutboundError,
    resolver::{Resolve, SystemResolver},
};
use crate::tls;

/// How to reach a server, and how much of its response to read.
#[derive(Clone)]
pub(crate) struct ConnectionSettings {
    /// For the whole exchange, from the name lookup to the last byte.
    pub(crate) timeout: Duration,
    /// Limits the size of a response body, in bytes.
    pub(crate) max_size: usize,
    /// The trusted root certificates. `None` means those of the system.
    pub(crate) roots: Option<Arc<RootCertStore>>,
    pub(crate) resolver: Arc<dyn Resolve>,
    /// Whether to connect to private, loopback and link-local addresses.
    pub(crate) allow_private: bool,
    /// Whether to accept URIs of the scheme `http` too. Which of them are acceptable is checked
    /// where they are parsed.
    pub(crate) allow_http: bool,
    /// Whether to keep idle connections for the next request.
    pub(crate) keep_alive: bool,
}

impl Default for ConnectionSettings {
    /// Public addresses by `https` only, with the root certificates and the resolver of the system.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            max_size: 1024 * 1024,
            roots: None,
            resolver: Arc::new(SystemResolver),
            allow_private: false,
            allow_http: false,
            keep_alive: false,
        }
    }
}

/// Reads root certificates in PEM, to trust instead of those of the system.
pub(crate) fn parse_roots(pem: &[u8]) -> Result<Arc<RootCertStore>, OutboundError> {
    Ok(tls::parse_roots(pem)?.into())
}
