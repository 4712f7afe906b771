//! Where a request came from.

use std::net::SocketAddr;

/// The address of the peer, in the extensions of its requests.
///
/// Whoever accepts connections puts it there; behind a proxy, whoever knows the address that the
/// proxy reports. What goes by addresses does nothing where it is missing.
///
/// With axum, which has a type of its own for the same:
///
/// ```
/// use std::net::SocketAddr;
/// use axum::{Router, body::Body, extract::ConnectInfo};
/// use hyper::Request;
/// use tower::{Layer, util::MapRequestLayer};
/// use tower_revocation::client::PeerAddr;
///
/// let tell = MapRequestLayer::new(|mut request: Request<Body>| {
///     let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().copied();
///     if let Some(ConnectInfo(peer)) = peer {
///         request.extensions_mut().insert(PeerAddr(peer));
///     }
///     request
/// });
/// let app = Router::new().fallback_service(tell.layer(Router::new()));
/// let served = app.into_make_service_with_connect_info::<SocketAddr>();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddr(pub SocketAddr);
