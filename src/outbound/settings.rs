//! How is a server reached?

use std::{sync::Arc, time::Duration};

use rustls::RootCertStore;

use super::resolver::{Resolve, SystemResolver};

/// How a server is reached, and how much of its answer is read.
#[derive(Clone)]
pub(crate) struct ConnectionSettings {
    pub(crate) timeout: Duration,
    pub(crate) max_size: usize,
    /// `None`: the system's.
    pub(crate) roots: Option<Arc<RootCertStore>>,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) allow_private: bool,
    /// Whether `http` is spoken too, where a URI says so.
    pub(crate) allow_http: bool,
    /// Whether the next request is so near that connections are kept for it.
    pub(crate) keep_alive: bool,
}

impl Default for ConnectionSettings {
    /// Public addresses by `https`, and the system's roots and resolver.
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
