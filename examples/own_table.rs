//! Tokens in a table of your own: clients revoke them, and the API refuses them from then on.
//!
//! ```sh
//! curl -i -H 'Authorization: Bearer 45ghiukldjahdnhzdauz' http://127.0.0.1:3000/me
//! curl -i -u s6BhdRkqt3:gX1fBat3bV -d token=45ghiukldjahdnhzdauz http://127.0.0.1:3000/oauth2/revoke
//! curl -i -H 'Authorization: Bearer 45ghiukldjahdnhzdauz' http://127.0.0.1:3000/me
//! ```

use std::{collections::HashMap, env, sync::Arc};

use axum::{Extension, Router, routing::get};
use hyper_util::rt::TokioTimer;
use tokio::{net::TcpListener, sync::Mutex};
use tower::{BoxError, Layer, service_fn};
use tower_revocation::client::registry::{Client, ClientAuthenticator, Registry};
use tower_revocation::enforce::EnforcementLayer;
use tower_revocation::introspect::{Introspection, TokenKind};
use tower_revocation::log::NumericDate;
use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, Secret};

/// Stands for your database: for each token its owner, and whether it is revoked.
type Table = Arc<Mutex<HashMap<&'static str, (&'static str, bool)>>>;
type Request = RevocationRequest<Arc<Client>>;

const CLIENTS: &str = r#"[{ "client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV" },
                          { "client_id": "c2", "client_secret": "s3cr3t-two" }]"#;

/// Revokes the token of a client. Return only after your database has committed.
async fn revoke(table: Table, request: Request) -> Result<Outcome, BoxError> {
    Ok(match table.lock().await.get_mut(request.token.expose()) {
        None => Outcome::NotFound,
        Some((owner, _)) if *owner != request.client.client_id() => Outcome::IssuedToAnother,
        Some((_, revoked)) => {
            *revoked = true;
            Outcome::Revoked
        }
    })
}

/// Looks up the token of a request to the API. Times are seconds after 1970.
async fn introspect(table: Table, token: Secret) -> Result<Option<Introspection>, BoxError> {
    let row = table.lock().await.get(token.expose()).copied();
    Ok(row.map(|(owner, revoked)| {
        let mut token = Introspection::new(TokenKind::AccessToken, owner);
        token.iat = Some(NumericDate::new(1_767_225_600));
        token.exp = Some(NumericDate::new(4_102_444_800));
        token.revoked = revoked;
        token
    }))
}

async fn me(Extension(token): Extension<Introspection>) -> String {
    format!("{}\n", token.client_id)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let row = ("45ghiukldjahdnhzdauz", ("s6BhdRkqt3", false));
    let table = Table::new(Mutex::new([row].into()));
    let rows = table.clone();
    let introspect = service_fn(move |token| introspect(rows.clone(), token));
    let backend = service_fn(move |request| revoke(table.clone(), request));

    let clients = ClientAuthenticator::new(Registry::from_json(CLIENTS)?);
    let revocation = RevocationLayer::new("/oauth2/revoke", clients, backend);
    let enforcement = EnforcementLayer::by_introspection(introspect);
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
