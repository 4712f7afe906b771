//! What a server's metadata says about this endpoint, from the configuration that answers.

use std::{fmt, net::IpAddr};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Response, StatusCode, Uri,
    header::{self, HeaderValue},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Settings, answer::JSON};
use crate::client::{AuthMethod, Offer};

/// The members about revocation of an authorization server's metadata (RFC 8414 §2, RFC 8705 §5).
///
/// It is made by [`RevocationLayer::metadata`](crate::RevocationLayer::metadata), and says what the
/// endpoint does: a method is in it if the layer accepts it **and** the authenticator verifies it.
/// Serialize it, or [merge](Self::merge_into) it into your own document.
///
/// ```
/// use tower_revocation::{RevocationLayer, client::registry::{ClientAuthenticator, Registry}};
///
/// # fn backend() {}
/// let authenticator = ClientAuthenticator::new(Registry::default());
/// let layer = RevocationLayer::new("/oauth2/revoke", authenticator, backend());
/// let metadata = layer.metadata("https://as.example.com/oauth2/revoke");
/// assert_eq!(
///     metadata.revocation_endpoint_auth_methods_supported,
///     ["client_secret_basic", "client_secret_post", "none"],
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Metadata {
    /// Where the endpoint is.
    pub revocation_endpoint: String,
    /// How clients may authenticate. It is always there: without it `client_secret_basic` would be
    /// understood, and public clients would not know that they may revoke.
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    /// What assertions may be signed with. Left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// What attestations may be signed with. Left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_attestation_signing_alg_values_supported: Vec<&'static str>,
    /// What proofs of possession of an attested key may be signed with. Left out where there are
    /// none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_attestation_pop_signing_alg_values_supported: Vec<&'static str>,
    /// Where clients with certificates find the endpoint, if that is elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtls_endpoint_aliases: Option<MtlsEndpointAliases>,
}

/// `mtls_endpoint_aliases` (RFC 8705 §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MtlsEndpointAliases {
    /// Where the endpoint is for clients with certificates.
    pub revocation_endpoint: String,
}

impl Metadata {
    pub(crate) fn of(settings: &Settings, offer: &impl Offer, endpoint: String) -> Self {
        let methods: Vec<_> = offer
            .auth_methods()
            .into_iter()
            .filter(|method| settings.auth_methods.contains(*method))
            .collect();
        let has = |wanted: &[AuthMethod]| wanted.iter().any(|method| methods.contains(method));
        let mut signing_algs = offer.signing_algs();
        // An algorithm is of one of two methods, and the layer may accept one of them alone.
        signing_algs.retain(|algorithm| {
            has(&[if algorithm.starts_with("HS") {
                AuthMethod::ClientSecretJwt
            } else {
                AuthMethod::PrivateKeyJwt
            }])
        });
        let [attestation, pop] = if has(&[AuthMethod::AttestJwtClientAuth]) {
            offer.attestation_algs()
        } else {
            Default::default()
        };
        let by_certificate = has(&[
            AuthMethod::TlsClientAuth,
            AuthMethod::SelfSignedTlsClientAuth,
        ]);
        Self {
            revocation_endpoint: endpoint,
            revocation_endpoint_auth_methods_supported: methods
                .iter()
                .map(|method| method.as_str())
                .collect(),
            revocation_endpoint_auth_signing_alg_values_supported: signing_algs,
            client_attestation_signing_alg_values_supported: attestation,
            client_attestation_pop_signing_alg_values_supported: pop,
            mtls_endpoint_aliases: settings.mtls_alias.clone().filter(|_| by_certificate).map(
                |revocation_endpoint| MtlsEndpointAliases {
                    revocation_endpoint,
                },
            ),
        }
    }

    /// Puts the members into a document, in place of what it says about them. Other aliases in
    /// `mtls_endpoint_aliases` stay.
    pub fn merge_into(&self, document: &mut Map<String, Value>) {
        let Ok(Value::Object(members)) = serde_json::to_value(self) else {
            unreachable!("a struct of strings is an object");
        };
        for (name, value) in members {
            match (document.get_mut(&name), value) {
                (Some(Value::Object(there)), Value::Object(ours)) => there.extend(ours),
                (_, value) => {
                    document.insert(name, value);
                }
            }
        }
    }
}

/// The metadata document as a route (RFC 8414 §3).
pub(crate) struct WellKnown<O> {
    path: String,
    endpoint: String,
    document: Map<String, Value>,
    offer: O,
}

impl<O: Offer> WellKnown<O> {
    /// # Panics
    ///
    /// If the issuer is not a URL with a host and without query and fragment; is `http` and not of
    /// this machine; or is not the one that the authenticator verifies assertions and attestations
    /// for.
    pub(crate) fn new(
        issuer: &str,
        endpoint: String,
        mut document: Map<String, Value>,
        offer: O,
    ) -> Self {
        assert!(
            offer.issuer().is_none_or(|audience| audience == issuer),
            "the metadata are of the issuer that clients sign for"
        );
        document.insert("issuer".to_owned(), issuer.into());
        Self {
            path: well_known_path(issuer),
            endpoint,
            document,
            offer,
        }
    }
}

impl<O> fmt::Debug for WellKnown<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WellKnown")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// RFC 8414 §3.1: between the host and the issuer's own path.
fn well_known_path(issuer: &str) -> String {
    let path = path_of(issuer).expect(
        "an issuer is a URL with a host, without query and fragment, by https or of this machine \
         (RFC 8414 §2)",
    );
    format!(
        "/.well-known/oauth-authorization-server{}",
        path.trim_end_matches('/')
    )
}

/// The path of an issuer, if it may be published. What clients are told over plain HTTP anybody on
/// the way can change, so that is for this machine alone.
fn path_of(issuer: &str) -> Option<&str> {
    let uri: Uri = issuer.parse().ok()?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    let rest = match issuer.strip_prefix("https://") {
        Some(rest) => rest,
        None => issuer
            .strip_prefix("http://")
            .filter(|_| is_loopback(host))?,
    };
    // A fragment is dropped by the parser.
    let is_issuer = !rest.contains(['?', '#', '@']);
    is_issuer.then(|| rest.find('/').map_or("", |slash| &rest[slash..]))
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// A route beside the revoke path. Without its type, so that the layer has none either.
pub(crate) trait Route: fmt::Debug + Send + Sync {
    fn matches(&self, path: &str) -> bool;
    fn answer(&self, method: &Method, settings: &Settings) -> Response<Full<Bytes>>;
}

impl<O: Offer + Send + Sync> Route for WellKnown<O> {
    fn matches(&self, path: &str) -> bool {
        path == self.path
    }

    fn answer(&self, method: &Method, settings: &Settings) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        if !matches!(*method, Method::GET | Method::HEAD) {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            let allow = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, allow);
            return response;
        }
        let mut document = self.document.clone();
        Metadata::of(settings, &self.offer, self.endpoint.clone()).merge_into(&mut document);
        let document = Value::Object(document).to_string();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, JSON);
        headers.insert(header::CONTENT_LENGTH, document.len().into());
        // It is nobody's secret, and browser apps discover by it.
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
        if *method == Method::GET {
            *response.body_mut() = document.into();
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_between_the_host_and_the_path_of_the_issuer() {
        for (issuer, path) in [
            ("https://as.example.com", ""),
            ("https://as.example.com/", ""),
            ("https://as.example.com/tenant/1", "/tenant/1"),
            ("http://127.0.0.1:8089", ""),
            ("http://127.1.2.3/t", "/t"),
            ("http://[::1]:8089", ""),
            ("http://localhost", ""),
            ("http://LOCALHOST:8089/t/", "/t"),
        ] {
            let path = format!("/.well-known/oauth-authorization-server{path}");
            assert_eq!(well_known_path(issuer), path);
        }
    }

    #[test]
    fn issuer_that_must_not_be_published_is_refused() {
        for issuer in [
            "http://as.example.com",
            "http://192.0.2.1",
            "http://0.0.0.0:8089",
            "http://[::]:8089",
            "http://[2001:db8::1]",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost@as.example.com",
            "http://user@localhost",
            "https://user@as.example.com",
            "https://as.example.com?x",
            "https://as.example.com/#x",
            "https://as.example.com/t?x=1",
            "https://",
            "https:///t",
            "http:///t",
            "https://as example.com",
            "ftp://localhost",
            "as.example.com",
            "/t",
            "",
        ] {
            assert_eq!(path_of(issuer), None, "{issuer}");
        }
    }
}
