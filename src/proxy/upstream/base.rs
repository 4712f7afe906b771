//! The base URL of an API, and the URL of one request there.

use hyper::{
    Uri,
    header::HeaderValue,
    http::uri::{Authority, PathAndQuery, Scheme},
};

use crate::proxy::{Error, sanitize::is_plain};

/// A base URL.
#[derive(Clone, Debug)]
pub(in crate::proxy) struct Base {
    pub(in crate::proxy) protocol: Protocol,
    /// With the scheme `http` or `https`.
    uri: Uri,
    /// The same with a short name as its host.
    short: Uri,
    /// What `Host` is over HTTP/1.1, without TLS.
    pub(in crate::proxy) host: HeaderValue,
}

/// What the API speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Protocol {
    Http,
    H2c,
    Https,
}

impl Base {
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let wrong = Error::configuration;
        let uri = Uri::try_from(url).map_err(|error| wrong("not a URL").caused_by(error))?;
        let Some(authority) = uri.authority() else {
            return Err(wrong("there is no host"));
        };
        let protocol = match uri.scheme_str() {
            Some("http") => Protocol::Http,
            Some("h2c") => Protocol::H2c,
            Some("https") => Protocol::Https,
            _ => return Err(wrong("expected an http URL, or one with https or h2c")),
        };
        if !is_plain(authority) {
            return Err(wrong("expected a host with an optional port"));
        }
        // The parser discards a fragment.
        if uri.query().is_some() || url.contains('#') {
            return Err(wrong("a base URL must not have a query or a fragment"));
        }
        let mut parts = uri.into_parts();
        if protocol == Protocol::H2c {
            parts.scheme = Some(Scheme::HTTP);
        }
        let url = |parts| {
            let url = Uri::from_parts(parts);
            url.map_err(|error| wrong("not a URL").caused_by(error))
        };
        let uri = url(parts)?;
        let mut parts = uri.clone().into_parts();
        parts.authority = Some(Authority::from_static("api"));
        Ok(Self {
            protocol,
            host: host(&uri)?,
            short: url(parts)?,
            uri,
        })
    }

    /// The same path and query at the API. Returns `None` for a request without a path, and for a
    /// path that the API may resolve to one outside the base.
    pub(in crate::proxy) fn join(&self, requested: &Uri) -> Option<Uri> {
        join(&self.uri, requested)
    }

    /// The same with a short name as its host, for a request with a `Host`. The client hashes the host
    /// of a URL for each request, byte by byte, and the connector does not read it.
    pub(in crate::proxy) fn join_short(&self, requested: &Uri) -> Option<Uri> {
        join(&self.short, requested)
    }

    /// Where to connect to.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }
}

fn join(base: &Uri, requested: &Uri) -> Option<Uri> {
    let target = requested.path_and_query()?;
    if !target.path().starts_with('/') {
        return None;
    }
    let prefix = base.path().trim_end_matches('/');
    let mut parts = base.clone().into_parts();
    parts.path_and_query = Some(if prefix.is_empty() {
        target.clone()
    } else if goes_up(target.path()) {
        return None;
    } else {
        PathAndQuery::try_from(format!("{prefix}{target}")).ok()?
    });
    Uri::from_parts(parts).ok()
}

/// The host and the port, unless it is the default of `http`.
fn host(uri: &Uri) -> Result<HeaderValue, Error> {
    let name = uri.host().unwrap_or_default();
    let port = uri.port().filter(|port| port.as_u16() != 80);
    let host = port.map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    let wrong = |error| Error::configuration("the host is no header value").caused_by(error);
    HeaderValue::try_from(host).map_err(wrong)
}

/// Whether a segment is `..`, in any encoding and with any parameters.
fn goes_up(path: &str) -> bool {
    if !path.contains(['.', '%']) {
        return false;
    }
    let mut path = path.to_ascii_lowercase();
    // Each round makes the path shorter. A server may decode it more than once.
    while path.contains("%25") {
        path = path.replace("%25", "%");
    }
    for (escape, character) in [("%2e", "."), ("%2f", "/"), ("%5c", "/"), ("%3b", ";")] {
        path = path.replace(escape, character);
    }
    // Some servers remove parameters (RFC 3986 §3.3) before they resolve dots.
    let mut segments = path.split(['/', '\\']);
    segments.any(|segment| segment.split(';').next() == Some(".."))
}
