//! The address of the client, as a trusted proxy reports it. Failures are counted for it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, Request, header::FORWARDED};
use tower_revocation::client::{ClientAddr, Network, PeerAddr};

/// Adds the [`ClientAddr`] to a request from a trusted proxy. The proxy must append the address of
/// its client to `X-Forwarded-For` or to `Forwarded` (RFC 7239).
///
/// The address is the last one in the field that does not belong to a trusted proxy: the client may
/// have written everything before it. If an element cannot be parsed, the address is that of the
/// proxy that wrote the element. A proxy that sets one of the two fields may pass on the other one
/// as its client sent it. So if both are there, they must agree; if they do not, the address is
/// that of the proxy.
pub(crate) fn note<B>(mut request: Request<B>, trusted: &[Network]) -> Request<B> {
    let peer = request.extensions().get().map(|PeerAddr(peer)| peer.ip());
    let client = peer.and_then(|peer| reported(request.headers(), peer.to_canonical(), trusted));
    if let Some(client) = client {
        request.extensions_mut().insert(ClientAddr(client));
    }
    request
}

fn reported(headers: &HeaderMap, peer: IpAddr, trusted: &[Network]) -> Option<IpAddr> {
    let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return None;
    }
    let last_untrusted = |elements: Vec<Option<IpAddr>>| {
        let mut client = peer;
        for element in elements.into_iter().rev() {
            let Some(address) = element else { break };
            client = address;
            if !is_trusted(address) {
                break;
            }
        }
        client
    };
    let by_list = lines(headers, "x-forwarded-for", listed).map(last_untrusted);
    let by_pairs = lines(headers, FORWARDED.as_str(), forwarded).map(last_untrusted);
    match (by_list, by_pairs) {
        (Some(one), Some(other)) => Some(if one == other { one } else { peer }),
        (one, other) => one.or(other),
    }
}

/// The elements of all lines of a field, in order. `None` for an element that cannot be parsed.
fn lines(
    headers: &HeaderMap,
    name: &str,
    elements: fn(&[u8]) -> Vec<Option<IpAddr>>,
) -> Option<Vec<Option<IpAddr>>> {
    let lines = headers.get_all(name);
    let has_any = lines.iter().next().is_some();
    has_any.then(|| {
        let lines = lines.iter();
        lines.flat_map(|line| elements(line.as_bytes())).collect()
    })
}

/// `X-Forwarded-For`: a comma-separated list of addresses.
fn listed(line: &[u8]) -> Vec<Option<IpAddr>> {
    line.split(|byte| *byte == b',').map(address).collect()
}

/// `Forwarded`: the `for` parameter of each element.
fn forwarded(line: &[u8]) -> Vec<Option<IpAddr>> {
    match split(line, b',') {
        Some(elements) => elements.into_iter().map(node).collect(),
        // A quote without an end makes the whole line ambiguous.
        None => vec![None],
    }
}

/// The `for` parameter of an element, if there is exactly one.
fn node(element: &[u8]) -> Option<IpAddr> {
    let mut nodes = split(element, b';')?.into_iter().filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (pair[..equals].trim_ascii(), &pair[equals + 1..]);
        name.eq_ignore_ascii_case(b"for").then_some(value)
    });
    let value = nodes.next()?.trim_ascii();
    if nodes.next().is_some() {
        return None;
    }
    let quoted = value.strip_prefix(b"\"");
    let value = quoted.map_or(Some(value), |value| value.strip_suffix(b"\""))?;
    // A value with escapes is not an address, so parsing fails.
    address(value)
}

/// Splits at separators outside quotes. Returns `None` if a quote has no end.
fn split(text: &[u8], separator: u8) -> Option<Vec<&[u8]>> {
    let (mut parts, mut from) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if *byte == separator && !is_quoted => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    (!is_quoted).then_some(parts)
}

/// Parses an address, with or without a port. An IPv6 address may be in brackets.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim_ascii();
    let plain = text.parse::<IpAddr>().ok();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let bracketed = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    let address = plain.or_else(with_port).or_else(bracketed)?;
    Some(address.to_canonical())
}
