//! Authorization server metadata (RFC 8414), derived from the configuration of the endpoint.

mod layer;
mod service;

use serde::Serialize;
use serde_json::{Map, Value};

pub use layer::MetadataLayer;
pub use service::MetadataService;

use crate::{
    client::{AuthMethod, SupportedMethods},
    endpoint::EndpointSettings,
};

/// The members about revocation of an authorization server's metadata (RFC 8414 §2, RFC 8705 §5).
///
/// [`RevocationLayer::metadata`](crate::RevocationLayer::metadata) creates it from the configuration
/// of the endpoint: it lists a method if the layer accepts it **and** the authenticator verifies it.
/// Serve it by a [`MetadataLayer`], serialize it, or [merge](Self::merge_into) it into your own
/// document.
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
    /// The URL of the endpoint.
    pub revocation_endpoint: String,
    /// The authentication methods. Always present: without this member clients assume
    /// `client_secret_basic`, and public clients do not learn that they may revoke tokens.
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    /// The signature algorithms of assertions. Omitted if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// The signature algorithms of attestations. Omitted if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_attestation_signing_alg_values_supported: Vec<&'static str>,
    /// The signature algorithms of proofs of possession of an attested key. Omitted if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_attestation_pop_signing_alg_values_supported: Vec<&'static str>,
    /// The URL for clients with certificates, if it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtls_endpoint_aliases: Option<MtlsEndpointAliases>,
    /// The issuer that assertions and attestations must name, if any.
    #[serde(skip)]
    audience: Option<String>,
}

/// `mtls_endpoint_aliases` (RFC 8705 §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MtlsEndpointAliases {
    /// The URL of the endpoint for clients with certificates.
    pub revocation_endpoint: String,
}

impl Metadata {
    pub(crate) fn of(
        settings: &EndpointSettings,
        supported: &impl SupportedMethods,
        endpoint: String,
    ) -> Self {
        let methods: Vec<_> = supported
            .auth_methods_supported()
            .into_iter()
            .filter(|method| settings.auth_methods.contains(*method))
            .collect();
        let has = |wanted: &[AuthMethod]| wanted.iter().any(|method| methods.contains(method));
        let mut signing_algs = supported.signing_algs_supported();
        // The algorithm determines the method, and the layer may accept only one of the two.
        signing_algs.retain(|algorithm| {
            has(&[if algorithm.starts_with("HS") {
                AuthMethod::ClientSecretJwt
            } else {
                AuthMethod::PrivateKeyJwt
            }])
        });
        let [attestation, pop] = if has(&[AuthMethod::AttestJwtClientAuth]) {
            supported.attestation_algs_supported()
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
            audience: supported.expected_issuer().map(str::to_owned),
        }
    }

    /// Inserts the members into a document and replaces existing ones. Other aliases in
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
