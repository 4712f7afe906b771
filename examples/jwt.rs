//! JWTs of an issuer: clients revoke them here, and the API refuses them from then on.
//!
//! The first command gets a token of the example authorization server.
//!
//! ```sh
//! TOKEN=$(curl -s -u s6BhdRkqt3:gX1fBat3bV -d grant_type=client_credentials \
//!   http://127.0.0.1:8089/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
//! curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:3000/me
//! curl -i -u s6BhdRkqt3:gX1fBat3bV -d "token=$TOKEN" http://127.0.0.1:3000/oauth2/revoke
//! curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:3000/me
//! ```

use std::{env, time::Duration};

use axum::{Extension, Router, routing::get};
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tower::{BoxError, Layer};
use tower_revocation::RevocationLayer;
use tower_revocation::client::registry::{ClientAuthenticator, Registry};
use tower_revocation::enforce::{EnforcementLayer, Index};
use tower_revocation::introspect::Introspection;
use tower_revocation::introspect::jwt::{Audience, Dialect, JwtTokens};
use tower_revocation::log::EmbeddedLog;
use tower_revocation::revoke::RecordRevocation;

/// The clients that may revoke. Each revokes its own tokens only.
const CLIENTS: &str = r#"[{ "client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV" }]"#;

/// No token of the issuer lives longer than this, refresh tokens included.
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

async fn me(Extension(token): Extension<Introspection>) -> String {
    format!("{}\n", token.sub.as_deref().unwrap_or(&token.client_id))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let issuer = env::var("ISSUER").unwrap_or_else(|_| "https://localhost:8443".into());
    let audience = env::var("AUDIENCE").unwrap_or_else(|_| format!("{issuer}/api"));
    // Its keys come from its metadata. Many products have a dialect of their own.
    let tokens = JwtTokens::discover(&issuer, Audience::any_of([audience]))?
        .dialect(Dialect::rfc9068())
        .longest_lifetime(LONGEST_LIFETIME);

    // What is revoked: in this file, and in memory for the checks. In production use
    // `open_existing` once the file exists: it fails if the file is lost.
    let log = EmbeddedLog::open("revocations.redb")?.sweep_every(Duration::from_secs(60));
    let index = Index::follow(&log).await?;

    let clients = ClientAuthenticator::new(Registry::from_json(CLIENTS)?);
    let backend = RecordRevocation::new(tokens.clone(), log).longest_lifetime(LONGEST_LIFETIME);
    let revocation = RevocationLayer::new("/oauth2/revoke", clients, backend);
    let enforcement = EnforcementLayer::new(tokens, index);
    let api = Router::new().route("/me", get(me)).layer(enforcement);
    // The revocation layer goes around the whole router. `axum::serve` needs a router.
    let app = revocation.timer(TokioTimer::new()).layer(api);
    let app = Router::new().fallback_service(app);

    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let bound = TcpListener::bind(&address).await;
    let listener = bound.map_err(|error| format!("LISTEN={address}: {error}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
