//! Where a request came from.

use std::net::{IpAddr, SocketAddr};

/// The address of the connection's other end, in the extensions of its requests.
///
/// Whoever accepts connections puts it there. Behind a proxy it is the proxy's, by which a
/// `CertificateFieldsLayer` knows whom to believe: **never put what a proxy reports here**, but into
/// [`ClientAddr`]. What goes by addresses does nothing where it is missing.
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

/// The address that a trusted proxy reports of its own client, in the extensions of the request.
///
/// Put it there only after you have made sure that it is your proxy's word: whoever can choose it has
/// as many addresses as they like. Where it is missing, [`PeerAddr`] counts.
///
/// ```
/// use hyper::Request;
/// use tower_revocation::client::ClientAddr;
///
/// let mut request = Request::new(());
/// request.extensions_mut().insert(ClientAddr("192.0.2.7".parse().unwrap()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub IpAddr);
