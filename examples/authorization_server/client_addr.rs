//! The address that a trusted proxy reports of its client, by which failures are counted.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, Request, header::FORWARDED};
use tower_revocation::client::{ClientAddr, PeerAddr, certificate::Network};

/// Adds the [`ClientAddr`] to the request of a trusted proxy, which has to append the address of
/// its own client to `X-Forwarded-For` or to `Forwarded` (RFC 7239).
///
/// It is the last address in the field that is not itself a trusted proxy's: whatever stands before
/// it, the client may have written. An element that cannot be read ends the search at the proxy
/// that has written it. A proxy that sets one of the fields may pass the other on as its client has
/// sent it, so where there are both, they have to agree; else the proxy's own address counts.
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

/// The elements of every line of a field, in order. `None` of an element: it cannot be read.
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

/// `X-Forwarded-For`: addresses between commas.
fn listed(line: &[u8]) -> Vec<Option<IpAddr>> {
    line.split(|byte| *byte == b',').map(address).collect()
}

/// `Forwarded`: the `for` of each element.
fn forwarded(line: &[u8]) -> Vec<Option<IpAddr>> {
    match split(line, b',') {
        Some(elements) => elements.into_iter().map(node).collect(),
        // Nothing on the line can be told from what stands in the quotes.
        None => vec![None],
    }
}

/// The `for` among the pairs of an element, if there is one and no other.
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
    // One that has quotes within, or escapes, is no address.
    address(value)
}

/// The parts between separators outside of quotes. `None` if a quote has no end.
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

/// An address, with a port or without. One of IPv6 may stand in brackets.
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
