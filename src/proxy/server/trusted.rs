//! The peers to which some limits do not apply, which can be replaced while the server serves.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use crate::client::Network;

/// The [trusted peers](super::Server::trusted_peers) of a server. Clones share them. Defaults to none.
///
/// [`replace`](Self::replace) counts from the next connection on. Open connections keep their limits.
///
/// ```
/// use tower_revocation::proxy::server::{Server, TrustedPeers};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let trusted = TrustedPeers::new(["192.0.2.1".parse()?]);
/// let server = Server::new().trusted_peers(trusted.clone());
/// // Later, while it serves.
/// trusted.replace(["192.0.2.1".parse()?, "198.51.100.0/24".parse()?]);
/// # drop(server);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrustedPeers(Arc<RwLock<Vec<Network>>>);

impl TrustedPeers {
    /// Creates a list of these networks.
    pub fn new(networks: impl IntoIterator<Item = Network>) -> Self {
        Self(Arc::new(RwLock::new(networks.into_iter().collect())))
    }

    /// Replaces the networks, for the clones too.
    pub fn replace(&self, networks: impl IntoIterator<Item = Network>) {
        let networks = networks.into_iter().collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = networks;
    }

    /// Whether this is one of them. A peer on a Unix socket is not.
    pub(super) fn contain(&self, peer: Option<SocketAddr>) -> bool {
        peer.is_some_and(|peer| {
            let networks = self.0.read().unwrap_or_else(PoisonError::into_inner);
            networks.iter().any(|network| network.contains(peer.ip()))
        })
    }
}
