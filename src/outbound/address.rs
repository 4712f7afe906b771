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

/// The URI that a client has registered, if it may be fetched as far as it can be known before its
/// host is resolved.
pub(crate) fn checked_uri(text: &str, allow_private: bool) -> Result<Uri, &'static str> {
    let (uri, address) = registered_uri(text)?;
    match address {
        // The connector does not ask the resolver about these.
        Some(address) if !allow_private && !is_public(address) => Err("the address is not public"),
        _ => Ok(uri),
    }
}

/// A URI that could be fetched, if its address may be: by `https`, or by `http` on this machine.
pub(crate) fn registered_uri(text: &str) -> Result<(Uri, Option<IpAddr>), &'static str> {
    let (uri, address) = sound_uri(text)?;
    match uri.scheme_str() {
        Some("https") => Ok((uri, address)),
        Some("http") if is_loopback(&uri, address) => Ok((uri, address)),
        _ => Err("the URI is not https"),
    }
}

/// A URI that the operator has configured: by `https`; or by `http` if the host is this machine, or
/// if plain HTTP is allowed. Its address may be a private one.
pub(crate) fn operator_uri(text: &str, allow_plain: bool) -> Result<Uri, &'static str> {
    let (uri, address) = sound_uri(text)?;
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if allow_plain || is_loopback(&uri, address) => Ok(uri),
        _ => Err("the URI is not https"),
    }
}

/// Whether the host is this machine (`localhost`, `127.0.0.1`, `[::1]`).
fn is_loopback(uri: &Uri, address: Option<IpAddr>) -> bool {
    match address {
        Some(address) => address.is_loopback(),
        None => uri
            .host()
            .is_some_and(|host| host.eq_ignore_ascii_case("localhost")),
    }
}

/// A URI of which there is one reading, whatever its scheme, and the address that stands in place
/// of a name.
fn sound_uri(text: &str) -> Result<(Uri, Option<IpAddr>), &'static str> {
    if text.len() > MAX_URI {
        return Err("the URI is too long");
    }
    // The parser drops it in silence.
    if text.contains('#') {
        return Err("the URI has a fragment");
    }
    let uri: Uri = text.parse().map_err(|_| "this is no URI")?;
    let authority = uri.authority().ok_or("the URI has no host")?;
    if authority.as_str().contains('@') {
        return Err("the URI has userinfo");
    }
    let address = literal(authority.host())?;
    Ok((uri, address))
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
mod tests;
