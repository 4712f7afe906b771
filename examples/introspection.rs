//! Opaque tokens of another server: the API introspects them, and revocations are forwarded.
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
use tower_revocation::client::UnverifiedClients;
use tower_revocation::enforce::{EnforcementLayer, Index};
use tower_revocation::introspect::{Introspection, upstream::Upstream};
use tower_revocation::log::EmbeddedLog;
use tower_revocation::revoke::{ForwardRevocation, RecordRevocation};
use tower_revocation::{RevocationLayer, Secret};

/// No token of the other server lives longer than this, refresh tokens included.
const LONGEST_LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);

async fn me(Extension(token): Extension<Introspection>) -> String {
    format!("{}\n", token.sub.as_deref().unwrap_or(&token.client_id))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = env::var("SERVER").unwrap_or_else(|_| "http://127.0.0.1:8089".into());
    // This API has credentials of its own. If the tokens name an API, add `.audience(..)`.
    let upstream = Upstream::builder(format!("{server}/oauth2/introspect"))
        .basic("c2", &Secret::new("s3cr3t-two"))
        .longest_lifetime(LONGEST_LIFETIME);
    let tokens = upstream.clone().build()?;

    // What is revoked here: refused at once. What is revoked elsewhere: refused after at most ten
    // seconds, for which a response of the other server is cached.
    let log = EmbeddedLog::open("revocations.redb")?.sweep_every(Duration::from_secs(60));
    let index = Index::follow(&log).await?;

    // The other server authenticates the clients. It is asked again after it has revoked a token.
    let clients = UnverifiedClients::new();
    let record = RecordRevocation::new(tokens.clone(), log).longest_lifetime(LONGEST_LIFETIME);
    let backend = ForwardRevocation::new(&format!("{server}/oauth2/revoke"), record)?
        .confirm_by(upstream.cache(Duration::ZERO, 0).build()?);
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
