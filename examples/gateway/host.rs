//! Does a request name one host? (RFC 9112 §3.2)

use hyper::{
    Request, Uri, Version,
    header::HOST,
    http::uri::{Authority, Scheme},
};

/// Whether the request names one host, and no second one. `Host`, where there is one, has to name
/// what the request line or `:authority` names. Two readers would take them for two requests.
pub(crate) fn is_one<B>(request: &Request<B>) -> bool {
    let uri = request.uri();
    let mut fields = request.headers().get_all(HOST).iter();
    let (first, second) = (fields.next(), fields.next());
    if second.is_some() {
        return false;
    }
    match (first, uri.authority()) {
        (None, None) => false,
        // HTTP/2 has `:authority` in its place (RFC 9113 §8.3.1).
        (None, Some(asked)) => request.version() == Version::HTTP_2 && is_plain(asked),
        (Some(field), asked) => authority(field.as_bytes()).is_some_and(|named| {
            asked.is_none_or(|asked| is_plain(asked) && is_same(&named, asked, uri))
        }),
    }
}

fn authority(field: &[u8]) -> Option<Authority> {
    let authority = Authority::try_from(field).ok()?;
    is_plain(&authority).then_some(authority)
}

/// A host, with a port or without, and no userinfo (RFC 9110 §4.2.4).
pub(crate) fn is_plain(authority: &Authority) -> bool {
    let (host, rest) = (
        authority.host(),
        authority.as_str().strip_prefix(authority.host()),
    );
    let port = rest.map(|rest| rest.strip_prefix(':').unwrap_or(rest));
    !host.is_empty() && port.is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok())
}

fn is_same(named: &Authority, asked: &Authority, uri: &Uri) -> bool {
    let usual = if uri.scheme() == Some(&Scheme::HTTPS) {
        443
    } else {
        80
    };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(usual);
    named.host().eq_ignore_ascii_case(asked.host()) && port(named) == port(asked)
}
