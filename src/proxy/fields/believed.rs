//! Fields in which proxies report who the client is, where it is, or what it requested.

use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_TYPE, COOKIE, HOST, HeaderName, TRANSFER_ENCODING, USER_AGENT,
};

use super::{begins, is_same};

/// Whether an API may believe this field because its proxy sets it, or takes it for a field that
/// the proxy reads: another spelling of `Content-Length`, for example.
pub(in crate::proxy) fn is_believed(name: &HeaderName) -> bool {
    if KEPT.contains(name) {
        return false;
    }
    if READ.iter().any(|read| name != read && is_same(name, read)) {
        return true;
    }
    let name = name.as_str().as_bytes();
    let name = if begins(name, b"x-") {
        &name[2..]
    } else {
        name
    };
    name.windows(FORWARDED.len()).any(|part| part == FORWARDED)
        || BELIEVED
            .iter()
            .any(|prefix| begins(name, prefix.as_bytes()))
}

const FORWARDED: &[u8] = b"forwarded";

/// Fields that the client sets. Some begin like those below. The others are in most requests, and
/// need no further look.
static KEPT: [HeaderName; 10] = [
    ACCEPT,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    AUTHORIZATION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    COOKIE,
    HOST,
    USER_AGENT,
    HeaderName::from_static("x-user-agent"),
];

/// Fields that determine what a request is, and have more than one spelling.
static READ: [HeaderName; 4] = [
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    TRANSFER_ENCODING,
];

/// Prefixes of the names of believed fields, with or without `X-` before them. A name that contains
/// `forwarded` is believed too.
const BELIEVED: [&str; 70] = [
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
    // The original request, if a proxy rewrites it, and another method than the one that was checked.
    "host",
    "http-host",
    "http-method",
    "method-override",
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
