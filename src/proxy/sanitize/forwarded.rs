//! What the API is told about the connection of the client.

use std::net::IpAddr;

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
    http::{Extensions, uri::Authority},
};

use super::host::is_plain;
use crate::{
    client::{ClientAddr, Network, PeerAddr},
    proxy::server::OverTls,
};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What a trusted proxy in front of this one says about the client.
#[derive(Default)]
pub(super) struct Before {
    /// The addresses, from the client on.
    chain: String,
    /// The last address that is no proxy.
    client: Option<IpAddr>,
    scheme: Option<&'static str>,
    host: Option<HeaderValue>,
}

impl Before {
    /// Reads the fields, if the peer is one of these proxies. Call it before they are removed.
    pub(super) fn read(headers: &HeaderMap, extensions: &Extensions, proxies: &[Network]) -> Self {
        let peer: Option<&PeerAddr> = extensions.get();
        let is_trusted = peer.is_some_and(|PeerAddr(peer)| {
            proxies.iter().any(|network| network.contains(peer.ip()))
        });
        if !is_trusted {
            return Self::default();
        }
        let addresses = headers.get_all(FOR).iter();
        let addresses: Vec<&str> = addresses.filter_map(|it| it.to_str().ok()).collect();
        let chain = addresses.join(", ");
        let mut addresses = chain.rsplit(',').map(str::trim);
        // What is left of an unreadable address comes from the client.
        let first = addresses.find(|address| !is_one_of(proxies, address));
        Self {
            client: first.and_then(|address| address.parse().ok()),
            chain,
            scheme: match one(headers, &PROTO).map(HeaderValue::as_bytes) {
                Some(b"https") => Some("https"),
                Some(b"http") => Some("http"),
                _ => None,
            },
            host: one(headers, &HOST)
                .filter(|host| is_host(host.as_bytes()))
                .cloned(),
        }
    }
}

fn is_host(host: &[u8]) -> bool {
    Authority::try_from(host).is_ok_and(|host| is_plain(&host))
}

fn is_one_of(proxies: &[Network], address: &str) -> bool {
    let address: Result<IpAddr, _> = address.parse();
    address.is_ok_and(|address| proxies.iter().any(|network| network.contains(address)))
}

/// The value of a field that is there once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut fields = headers.get_all(name).iter();
    fields.next().filter(|_| fields.next().is_none())
}

/// Sets the fields. The headers have none of the client any more. Limits count by the
/// [`ClientAddr`].
pub(super) fn set(
    headers: &mut HeaderMap,
    extensions: &mut Extensions,
    host: HeaderValue,
    before: Before,
) {
    if let Some(client) = before.client {
        extensions.insert(ClientAddr(client));
    }
    // A peer on a Unix socket has no address.
    if let Some(PeerAddr(peer)) = extensions.get() {
        let mut chain = before.chain;
        if !chain.is_empty() {
            chain.push_str(", ");
        }
        push(&mut chain, peer.ip().to_canonical());
        // An address with a scope has a `%`, which is a valid character too.
        if let Ok(chain) = HeaderValue::from_str(&chain) {
            headers.insert(FOR, chain);
        }
    }
    let is_encrypted = extensions.get::<OverTls>().is_some();
    let scheme = before
        .scheme
        .unwrap_or(if is_encrypted { "https" } else { "http" });
    headers.insert(PROTO, HeaderValue::from_static(scheme));
    headers.insert(HOST, before.host.unwrap_or(host));
}

/// Appends an address. Most are of IPv4, and formatting them takes as long as all else here.
fn push(chain: &mut String, address: IpAddr) {
    let IpAddr::V4(address) = address else {
        chain.push_str(&address.to_string());
        return;
    };
    chain.reserve("255.255.255.255".len());
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            chain.push('.');
        }
        for (least, power) in [(100, 100), (10, 10), (0, 1)] {
            if octet >= least {
                chain.push(char::from(b'0' + octet / power % 10));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn address_is_written_as_the_standard_library_does() {
        for octet in 0..=u8::MAX {
            for octets in [[octet, 0, 255, 1], [10, octet, octet, 99]] {
                let address = IpAddr::V4(Ipv4Addr::from(octets));
                let mut chain = "a, ".to_owned();
                push(&mut chain, address);
                assert_eq!(chain, format!("a, {address}"));
            }
        }
        let mut chain = String::new();
        push(&mut chain, "2001:db8::1".parse().unwrap());
        assert_eq!(chain, "2001:db8::1");
    }
}
