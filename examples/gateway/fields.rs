//! The header fields that do not pass the gateway: fields about one connection, and fields that an
//! API believes because its proxy sets them.

use hyper::{
    HeaderMap,
    header::{self, HeaderName, HeaderValue},
};

/// Removes the fields that are not for the API. Returns `None` if `Connection` names a field that
/// the API must receive: without it, the API would see another request than the gateway checked.
pub(crate) fn clean_request(headers: &mut HeaderMap, is_http2: bool) -> Option<()> {
    let options = connection_options(headers);
    if options.iter().any(|option| NEEDED.contains(option)) {
        return None;
    }
    // HTTP/2 always allows trailers.
    let takes_trailers = is_http2 || has_element(headers, &header::TE, "trailers");
    remove_hop_by_hop(headers);
    remove_believed(headers);
    join_cookies(headers);
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    Some(())
}

/// Removes fields that are about one connection and not about the message (RFC 9110 §7.6.1).
/// Without `Upgrade`, client and API cannot switch to a protocol that the gateway does not see.
/// `Trailer` stays: it is about the message, and trailers pass.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let always = [
        header::CONNECTION,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        HeaderName::from_static("http2-settings"),
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-authentication-info"),
        HeaderName::from_static("proxy-connection"),
    ];
    for name in connection_options(headers).into_iter().chain(always) {
        headers.remove(name);
    }
}

/// Removes the fields in which proxies report who the client is, where it is, or what it requested.
/// The gateway sets none of them, so only the client can have written them.
pub(crate) fn remove_believed(headers: &mut HeaderMap) {
    let believed: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_believed(name))
        .cloned()
        .collect();
    for name in believed {
        headers.remove(name);
    }
}

/// Joins cookies. An HTTP/2 client may send each cookie in a separate field; HTTP/1 has one field
/// (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if cookies.len() > 1 {
        if let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..])) {
            headers.insert(header::COOKIE, joined);
        }
    }
}

/// Fields that are for every recipient, or that determine the meaning of the request.
const NEEDED: [HeaderName; 7] = [
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::HOST,
    header::TRANSFER_ENCODING,
];

/// The names in `Connection`.
fn connection_options(headers: &HeaderMap) -> Vec<HeaderName> {
    let lines = headers.get_all(header::CONNECTION).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect()
}

/// Whether a list has this element, with or without parameters.
fn has_element(headers: &HeaderMap, name: &HeaderName, element: &str) -> bool {
    let lines = headers.get_all(name).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|part| part.split(|byte| *byte == b';').next())
        .any(|part| part.trim_ascii().eq_ignore_ascii_case(element.as_bytes()))
}

/// Compares names as the API may read them: CGI maps every character that is not a letter or a
/// digit to the same one.
fn is_believed(name: &HeaderName) -> bool {
    if KEPT.contains(&name.as_str()) {
        return false;
    }
    let normalize = |character: char| {
        if character.is_ascii_alphanumeric() {
            character
        } else {
            '-'
        }
    };
    let name: String = name.as_str().chars().map(normalize).collect();
    let name = name.strip_prefix("x-").unwrap_or(&name);
    name.contains("forwarded") || BELIEVED.iter().any(|prefix| name.starts_with(prefix))
}

/// Fields that the client sets, although their names begin like those below.
const KEPT: [&str; 3] = ["authorization", "user-agent", "x-user-agent"];

/// Prefixes of the names of believed fields, with or without `X-` before them. Fields with
/// `forwarded` in their names are believed too. If your API believes other fields, add them here.
const BELIEVED: [&str; 68] = [
    // The client's certificate (RFC 9440, nginx, ingress-nginx, Azure, AWS) and its connection.
    "amzn-mtls",
    "amzn-tls",
    "arr-",
    "client-",
    "clientcert",
    "front-end-https",
    "https",
    "mtls",
    "peer-",
    "scheme",
    "spiffe",
    "ssl",
    "tls",
    "url-scheme",
    "verified",
    // The client's address.
    "appengine-",
    "azure-client",
    "azure-socket",
    "cf-",
    "cluster-client",
    "envoy-",
    "fastly-client",
    "real-",
    "true-client",
    // The original request, if a proxy rewrites it.
    "host",
    "http-host",
    "original-",
    "proxy",
    "rewrite-",
    // The identity and the rights of the user or the client.
    "access-token",
    "admin",
    "amzn-oidc",
    "anonymous-",
    "apigateway-",
    "auth-",
    "authenticated",
    "authentik-",
    "authorization",
    "authz-",
    "claim",
    "consumer",
    "credential-",
    "email",
    "endpoint-api-",
    "goog-authenticated",
    "goog-iap",
    "group",
    "id-token",
    "identity",
    "impersonate-",
    "internal",
    "jwt",
    "ms-client-principal",
    "ms-token",
    "oidc",
    "pomerium-",
    "principal",
    "remote-",
    "role",
    "scope",
    "shib",
    "sso-",
    "subject",
    "tailscale-",
    "token",
    "uid",
    "user",
    "webauth-",
];
