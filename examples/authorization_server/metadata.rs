//! `/.well-known/oauth-authorization-server` (RFC 8414).

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::server::Server;

pub(crate) async fn metadata(State(Server { issuer, .. }): State<Server>) -> Json<Value> {
    let confidential = ["client_secret_basic", "client_secret_post"];
    let all = ["client_secret_basic", "client_secret_post", "none"];
    Json(json!({
        "issuer": &*issuer,
        "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "introspection_endpoint": format!("{issuer}/oauth2/introspect"),
        "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
        "token_endpoint_auth_methods_supported": all,
        "introspection_endpoint_auth_methods_supported": confidential,
        "revocation_endpoint_auth_methods_supported": all,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}
