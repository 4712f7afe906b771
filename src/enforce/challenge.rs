//! The challenges of a layer (`WWW-Authenticate`).

use hyper::{Uri, header::HeaderValue};

use crate::{challenge::quoted, introspect::TokenType};

/// The challenges of one scheme (RFC 6750 §3, RFC 9449 §7.1).
#[derive(Clone, Debug)]
pub(super) struct Challenges {
    /// Without an error, because the request has no token.
    pub(super) bare: HeaderValue,
    pub(super) invalid_request: HeaderValue,
    pub(super) invalid_token: HeaderValue,
    pub(super) insufficient_scope: HeaderValue,
}

/// What every challenge of a layer states.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    /// A quoted string.
    realm: String,
    /// Empty, or `, scope="…"`.
    scope: String,
    /// Empty, or `, resource_metadata="…"`.
    resource_metadata: String,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            realm: quoted("api"),
            scope: String::new(),
            resource_metadata: String::new(),
        }
    }
}

impl Parameters {
    /// # Panics
    ///
    /// Panics if `realm` has a character that is neither visible ASCII nor a space.
    pub(super) fn set_realm(&mut self, realm: &str) {
        self.realm = quoted(realm);
    }

    /// The scopes that a token needs, with a space between them.
    pub(super) fn set_scope(&mut self, scope: &str) {
        self.scope = format!(", scope={}", quoted(scope));
    }

    /// The URL of the metadata of the protected resource (RFC 9728 §5.1).
    ///
    /// # Panics
    ///
    /// Panics if clients could not fetch it safely.
    pub(super) fn set_resource_metadata(&mut self, url: &str) {
        assert!(
            is_metadata_url(url),
            "the URL of the resource metadata is https, or http of this machine, with a host and \
             without a fragment (RFC 9728 §3)"
        );
        self.resource_metadata = format!(", resource_metadata={}", quoted(url));
    }

    pub(super) fn challenges(&self, scheme: TokenType) -> Challenges {
        let Self {
            realm,
            scope,
            resource_metadata,
        } = self;
        let scheme = scheme.as_str();
        let value = |error: &str| {
            let value = format!("{scheme} realm={realm}{error}{scope}{resource_metadata}");
            HeaderValue::try_from(value).expect("visible ASCII characters")
        };
        Challenges {
            bare: value(""),
            invalid_request: value(
                ", error=\"invalid_request\", \
                 error_description=\"The Authorization field is malformed\"",
            ),
            // One text for every reason, so that it does not tell them apart.
            invalid_token: value(
                ", error=\"invalid_token\", \
                 error_description=\"The token is expired, revoked or not valid here\"",
            ),
            insufficient_scope: value(
                ", error=\"insufficient_scope\", \
                 error_description=\"The token lacks a scope\"",
            ),
        }
    }
}

/// Whether clients can fetch metadata from this URL safely: by https, or by http from a server on
/// their own machine, because others can change what plain HTTP carries.
fn is_metadata_url(url: &str) -> bool {
    // The parser accepts other characters, and drops a fragment silently.
    let is_plain =
        url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains(['#', '"', '\\']);
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let Some(authority) = uri.authority().filter(|it| !it.as_str().contains('@')) else {
        return false;
    };
    let is_safe = match uri.scheme_str() {
        Some("https") => !authority.host().is_empty(),
        Some("http") => is_loopback(authority.host()),
        _ => false,
    };
    is_plain && is_safe
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
