//! The address of the peer or of the client.

#[cfg(any(
    feature = "limiter",
    feature = "pages",
    feature = "password-hashes",
    feature = "proxy"
))]
use std::net::Ipv6Addr;
use std::net::{IpAddr, SocketAddr};

/// The address of the peer of a connection, in the extensions of its requests.
///
/// The code that accepts connections inserts it. Behind a proxy, it is the address of the proxy,
/// and `CertificateFieldsLayer` uses it to recognise trusted proxies. **Never insert an address
/// here that a proxy reports**: use [`ClientAddr`] for that. Without an address, failures are not
/// limited, and permits for passwords are not shared fairly.
///
/// axum has a type of its own for this address:
///
/// ```
/// use std::net::SocketAddr;
/// use axum::{Router, body::Body, extract::ConnectInfo};
/// use hyper::Request;
/// use tower::{Layer, util::MapRequestLayer};
/// use tower_revocation::client::PeerAddr;
///
/// let insert_peer = MapRequestLayer::new(|mut request: Request<Body>| {
///     let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().copied();
///     if let Some(ConnectInfo(peer)) = peer {
///         request.extensions_mut().insert(PeerAddr(peer));
///     }
///     request
/// });
/// let app = Router::new().fallback_service(insert_peer.layer(Router::new()));
/// let served = app.into_make_service_with_connect_info::<SocketAddr>();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddr(pub SocketAddr);

/// The address of the client that a trusted proxy reports, in the extensions of the request.
///
/// Insert it only if the report comes from your own proxy: anyone who can choose this address has
/// as many addresses as they want. If it is missing, [`PeerAddr`] counts.
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

/// The address that limits count: [`ClientAddr`], or else [`PeerAddr`]. All addresses of one
/// subscriber count as one.
#[cfg(any(feature = "limiter", feature = "pages", feature = "password-hashes"))]
pub(crate) fn origin(extensions: &hyper::http::Extensions) -> Option<IpAddr> {
    let reported = extensions.get().map(|ClientAddr(client)| *client);
    let connected = || extensions.get().map(|PeerAddr(peer)| peer.ip());
    reported.or_else(connected).map(subscriber)
}

/// Maps an IPv4-mapped address to IPv4, and any other IPv6 address to its /64, because one
/// subscriber has at least a /64.
#[cfg(any(
    feature = "limiter",
    feature = "pages",
    feature = "password-hashes",
    feature = "proxy"
))]
pub(crate) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}
