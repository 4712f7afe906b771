//! Where a request came from.

#[cfg(any(feature = "limiter", feature = "password-hashes"))]
use std::net::Ipv6Addr;
use std::net::{IpAddr, SocketAddr};

/// The address of the connection's other end, in the extensions of its requests.
///
/// Whoever accepts connections puts it there. Behind a proxy it is the proxy's, by which a
/// `CertificateFieldsLayer` knows whom to believe: **never put what a proxy reports here**, but into
/// [`ClientAddr`]. Where it is missing, failures are not limited, and permits for passwords are not shared
/// out.
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

/// The address that what one peer may use is counted by: [`ClientAddr`], or else [`PeerAddr`], with
/// the addresses that one subscriber has taken for one.
#[cfg(any(feature = "limiter", feature = "password-hashes"))]
pub(super) fn origin(extensions: &hyper::http::Extensions) -> Option<IpAddr> {
    let reported = extensions.get().map(|ClientAddr(client)| *client);
    let connected = || extensions.get().map(|PeerAddr(peer)| peer.ip());
    reported.or_else(connected).map(subscriber)
}

/// An IPv4-mapped address as what it maps, and any other IPv6 address as its /64: one subscriber has
/// at least that many.
#[cfg(any(feature = "limiter", feature = "password-hashes"))]
pub(super) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}
