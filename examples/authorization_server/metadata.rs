//! The document at `/.well-known/oauth-authorization-server` (RFC 8414). The layer serves it.

use serde_json::{Map, Value, json};
use tower_revocation::Metadata;

/// The layer supplies the members about revocation. The other endpoints share its authenticator,
/// so they support the same methods; but introspection excludes public clients.
pub(crate) fn document(
    issuer: &str,
    tls: Option<&str>,
    revocation: &Metadata,
) -> Map<String, Value> {
    let methods = &revocation.revocation_endpoint_auth_methods_supported;
    let algorithms = &revocation.revocation_endpoint_auth_signing_alg_values_supported;
    let confidential: Vec<_> = methods.iter().filter(|method| **method != "none").collect();
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "introspection_endpoint": format!("{issuer}/oauth2/introspect"),
        "jwks_uri": format!("{issuer}/oauth2/jwks"),
        "challenge_endpoint": format!("{issuer}/oauth2/challenge"),
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    let Value::Object(mut document) = document else {
        unreachable!("the literal above is an object");
    };
    if let Some(tls) = tls {
        let aliases = json!({
            "token_endpoint": format!("{tls}/oauth2/token"),
            "introspection_endpoint": format!("{tls}/oauth2/introspect"),
        });
        document.insert("mtls_endpoint_aliases".to_owned(), aliases);
    }
    revocation.merge_into(&mut document);
    document
}
