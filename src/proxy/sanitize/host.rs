//! Checks that a request names exactly one host (RFC 9112 §3.2).

use hyper::{
    Request, Uri, Version,
    header::{HOST, HeaderValue},
    http::uri::{Authority, Scheme},
};

/// Returns the host of a request that names exactly one. If there is a `Host` field, it must agree
/// with the request line or `:authority`. Otherwise proxy and API could read different requests.
pub(super) fn only_host<B>(request: &Request<B>) -> Option<HeaderValue> {
    let uri = request.uri();
    let mut fields = request.headers().get_all(HOST).iter();
    let (first, second) = (fields.next(), fields.next());
    if second.is_some() {
        return None;
    }
    match (first, uri.authority()) {
        (None, None) => None,
        // HTTP/2 uses `:authority` instead of `Host` (RFC 9113 §8.3.1).
        (None, Some(target)) => {
            let named = request.version() == Version::HTTP_2 && is_plain(target);
            let host = || HeaderValue::try_from(target.as_str()).ok();
            named.then(host).flatten()
        }
        (Some(field), None) if is_name(field.as_bytes()) => Some(field.clone()),
        (Some(field), target) => {
            let host = authority(field.as_bytes())?;
            let agrees =
                target.is_none_or(|target| is_plain(target) && is_same(&host, target, uri));
            agrees.then(|| field.clone())
        }
    }
}

/// Whether this is a host of letters, digits, `-` and `.`, without a port. Most are, and need no parser.
fn is_name(field: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    !field.is_empty() && field.iter().all(is_allowed)
}

fn authority(field: &[u8]) -> Option<Authority> {
    let authority = Authority::try_from(field).ok()?;
    is_plain(&authority).then_some(authority)
}

/// Whether this is a host, with or without a port, and without userinfo (RFC 9110 §4.2.4).
pub(in crate::proxy) fn is_plain(authority: &Authority) -> bool {
    let host = authority.host();
    let rest = authority.as_str().strip_prefix(host);
    let port = rest.map(|rest| rest.strip_prefix(':').unwrap_or(rest));
    // `parse` accepts a sign.
    let is_number =
        |port: &str| port.bytes().all(|it| it.is_ascii_digit()) && port.parse::<u16>().is_ok();
    !host.is_empty() && port.is_some_and(|port| port.is_empty() || is_number(port))
}

fn is_same(host: &Authority, target: &Authority, uri: &Uri) -> bool {
    let default = if uri.scheme() == Some(&Scheme::HTTPS) {
        443
    } else {
        80
    };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
    host.host().eq_ignore_ascii_case(target.host()) && port(host) == port(target)
}
