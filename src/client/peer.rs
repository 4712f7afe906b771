//! Where a request came from.

use std::net::SocketAddr;

/// The address of the peer, in the extensions of its requests.
///
/// Whoever accepts connections puts it there; behind a proxy, whoever knows the address that the
/// proxy reports. What goes by addresses does nothing where it is missing.
///
/// ```
/// use hyper::Request;
/// use tower_revocation::client::PeerAddr;
///
/// let mut request = Request::new(());
/// request.extensions_mut().insert(PeerAddr("192.0.2.7:40000".parse().unwrap()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddr(pub SocketAddr);
