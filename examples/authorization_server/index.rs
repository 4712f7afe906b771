//! `/`: what there is.

use std::fmt::Write as _;

use axum::extract::State;

use crate::server::Server;

/// Each with its method, and what it is for.
const ENDPOINTS: [(&str, &str, &str); 12] = [
    ("GET", "/", "this list"),
    (
        "GET",
        "/oauth2/authorize",
        "authorization codes with PKCE; alice is signed in",
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
    ("GET", "/api/me", "an API: whose token it is"),
    (
        "GET",
        "/api/events",
        "an API: a stream that ends with its token",
    ),
    ("GET", "/health", "whether tokens can be told apart"),
    ("GET", "/health/revocation", "whether tokens can be revoked"),
];

const METADATA: &str = "/.well-known/oauth-authorization-server";

pub(crate) async fn index(State(server): State<Server>) -> String {
    let mut text = String::new();
    for (method, path, purpose) in ENDPOINTS {
        let mut path = path.to_owned();
        if path == METADATA {
            // The issuer's own path comes behind (RFC 8414 §3.1).
            let own = server.issuer.splitn(4, '/').nth(3);
            path.extend(own.map(|own| format!("/{own}")));
        }
        let _ = writeln!(text, "{method:<4}  {path:<40}  {purpose}");
    }
    text
}
