//! `/`: the list of endpoints.

use std::fmt::Write as _;

use axum::extract::State;

use crate::server::Server;

/// The method, the path and the purpose of each endpoint.
const ENDPOINTS: [(&str, &str, &str); 12] = [
    ("GET", "/", "this list"),
    (
        "GET",
        "/oauth2/authorize",
        "authorization codes with PKCE; signs alice in",
    ),
    (
        "POST",
        "/oauth2/token",
        "tokens for codes, refresh tokens and client credentials",
    ),
    ("POST", "/oauth2/revoke", "revocation (RFC 7009)"),
    ("POST", "/oauth2/introspect", "introspection (RFC 7662)"),
    (
        "POST",
        "/oauth2/challenge",
        "challenges for attested clients",
    ),
    ("GET", "/oauth2/jwks", "the key that signs JWTs"),
    ("GET", METADATA, "metadata of this server (RFC 8414)"),
    (
        "GET",
        "/api/me",
        "an API: the user and the client of the token",
    ),
    (
        "GET",
        "/api/events",
        "an API: a stream that ends with its token",
    ),
    ("GET", "/health", "whether the server can check tokens"),
    (
        "GET",
        "/health/revocation",
        "whether the server can revoke tokens",
    ),
];

const METADATA: &str = "/.well-known/oauth-authorization-server";

pub(crate) async fn index(State(server): State<Server>) -> String {
    let mut text = String::new();
    for (method, path, purpose) in ENDPOINTS {
        let mut path = path.to_owned();
        if path == METADATA {
            // The path of the issuer follows the well-known path (RFC 8414 §3.1).
            let issuer_path = server.issuer.splitn(4, '/').nth(3);
            path.extend(issuer_path.map(|path| format!("/{path}")));
        }
        let _ = writeln!(text, "{method:<4}  {path:<40}  {purpose}");
    }
    text
}
