//! May this URI be fetched, and from which addresses?

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    task::{Context, Poll},
    vec,
};

use futures::future::BoxFuture;
use hyper::Uri;
use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

use super::Resolve;

const MAX_URI: usize = 2048;

/// The URI, if it may be fetched as far as it can be known before its host is resolved.
pub(super) fn checked_uri(text: &str, allow_private: bool) -> Result<Uri, &'static str> {
    if text.len() > MAX_URI {
        return Err("the URI is too long");
    }
    // The parser drops it in silence.
    if text.contains('#') {
        return Err("the URI has a fragment");
    }
    let uri: Uri = text.parse().map_err(|_| "this is no URI")?;
    if uri.scheme_str() != Some("https") {
        return Err("the URI is not https");
    }
    let authority = uri.authority().ok_or("the URI has no host")?;
    if authority.as_str().contains('@') {
        return Err("the URI has userinfo");
    }
    match literal(authority.host())? {
        // The connector does not ask the resolver about these.
        Some(address) if !allow_private && !is_public(address) => Err("the address is not public"),
        _ => Ok(uri),
    }
}

/// The address that stands in place of a name.
///
/// The odd forms of IPv4 (`2130706433`, `0x7f.1`, `127.1`) are refused: resolvers take them for
/// addresses, and nobody needs them.
fn literal(host: &str) -> Result<Option<IpAddr>, &'static str> {
    if host.is_empty() {
        return Err("the URI has no host");
    }
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']').and_then(|inner| inner.parse().ok());
        let address: Ipv6Addr = address.ok_or("the host is no address")?;
        return Ok(Some(address.into()));
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(Some(address.into()));
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    let numeric = match hex {
        Some(digits) => digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        None => last.bytes().all(|digit| digit.is_ascii_digit()),
    };
    if numeric {
        return Err("the host is a number");
    }
    Ok(None)
}

/// Whether this is an address of the public Internet (the IANA special-purpose registries, RFC
/// 6890).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    match address.octets() {
        [0 | 10 | 127 | 224.., ..]
        | [100, 64..=127, ..]
        | [169, 254, ..]
        | [172, 16..=31, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [192, 168, ..]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => false,
        [..] => true,
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // IPv4-mapped, NAT64 (RFC 6052) and 6to4 lead to the IPv4 address in them.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Protocol assignments (Teredo among them), and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Of all others, only what is global unicast.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// The resolver of the connector, which connects to nothing but what comes out here.
#[derive(Clone)]
pub(super) struct Checked {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) allow_private: bool,
}

impl Service<Name> for Checked {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.resolver.resolve(name.as_str());
        let allow_private = self.allow_private;
        Box::pin(async move {
            let mut addresses = resolving.await?;
            if addresses.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    "the name has no address",
                ));
            }
            addresses.retain(|address| allow_private || is_public(*address));
            if addresses.is_empty() {
                let refused = "the name has no address that is public";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, refused));
            }
            // The connector puts the URI's port there.
            let with_port = |address| SocketAddr::new(address, 0);
            Ok(addresses
                .into_iter()
                .map(with_port)
                .collect::<Vec<_>>()
                .into_iter())
        })
    }
}

/// Whether this is how [`Checked`] says that no address may be connected to.
pub(super) fn is_refused(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_not_of_the_public_internet_is_refused() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_address_of_the_public_internet_is_not() {
        for address in [
            "1.1.1.1",
            "9.9.9.9",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.1.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.88.98.1",
            "192.167.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700:4700::1111",
            "2a00::1",
            "3ffe::1",
            "64:ff9b::101:101",
            "2002:101:101::1",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn of_many_addresses_only_the_public_ones_are_connected_to() {
        struct Many;

        impl Resolve for Many {
            fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
                assert_eq!(host, "keys.example");
                let found = [
                    "127.0.0.1",
                    "1.1.1.1",
                    "::1",
                    "2606:4700:4700::1111",
                    "fe80::1",
                ];
                let found = found.map(|address| address.parse().unwrap()).to_vec();
                Box::pin(async { Ok(found) })
            }
        }

        for (allow_private, expected) in [
            (false, vec!["1.1.1.1:0", "[2606:4700:4700::1111]:0"]),
            (
                true,
                vec![
                    "127.0.0.1:0",
                    "1.1.1.1:0",
                    "[::1]:0",
                    "[2606:4700:4700::1111]:0",
                    "[fe80::1]:0",
                ],
            ),
        ] {
            let mut checked = Checked {
                resolver: Arc::new(Many),
                allow_private,
            };
            let found = checked.call("keys.example".parse().unwrap()).await.unwrap();
            let found: Vec<_> = found.map(|address| address.to_string()).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_uri_is_checked_before_anything_is_resolved() {
        for uri in [
            "",
            "/jwks.json",
            "keys.example",
            "http://keys.example/",
            "HTTP://keys.example/",
            "ftp://keys.example/",
            "file:///etc/passwd",
            "https:keys.example",
            "https:///jwks",
            "https://user@keys.example/",
            "https://user:pass@keys.example/",
            "https://1.1.1.1@keys.example/",
            "https://keys.example/#k1",
            "https://keys.example#",
            "https://127.0.0.1/",
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]:8443/",
            "https://[fe80::1]/",
            "https://[fe80::1%25eth0]/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0X7F000001/",
            "https://0x7f.1/",
            "https://127.1/",
            "https://017700000001/",
            "https://0177.0.0.01/",
            "https://127.0.0.1./",
            "https://keys.example\\@1.1.1.1/",
            "https://keys .example/",
            " https://keys.example/",
            "https://keys.example/\r\nx: y",
            "https://:443/",
            "https://0x/",
        ] {
            assert!(checked_uri(uri, false).is_err(), "{uri:?}");
        }
        assert!(checked_uri(&format!("https://keys.example/{}", "a".repeat(2048)), false).is_err());
    }

    #[test]
    fn a_uri_with_a_name_or_a_public_address_is_fetched() {
        for uri in [
            "https://keys.example/jwks.json?tenant=1",
            "HTTPS://KEYS.EXAMPLE:8443",
            "https://1.1.1.1/",
            "https://[2606:4700:4700::1111]:443/",
            "https://4u.example/",
            "https://1.2.3.com/",
            "https://keys.example./",
        ] {
            assert!(checked_uri(uri, false).is_ok(), "{uri:?}");
        }
        assert!(checked_uri("https://127.0.0.1/", true).is_ok());
        // Nobody needs it, whatever is allowed.
        assert!(checked_uri("https://2130706433/", true).is_err());
    }
}
