//! An authorization server of your own in one file: it issues, checks and revokes tokens.
//!
//! ```sh
//! TOKEN=$(curl -s -u s6BhdRkqt3:gX1fBat3bV -d grant_type=client_credentials \
//!   http://127.0.0.1:3000/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
//! curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:3000/me
//! curl -i -u s6BhdRkqt3:gX1fBat3bV -d "token=$TOKEN" http://127.0.0.1:3000/oauth2/revoke
//! curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:3000/me
//! ```

use std::{env, time::Duration};

use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router, extract::State};
use hyper_util::rt::TokioTimer;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::{BoxError, Layer, ServiceExt};
use tower_revocation::client::{Credentials, registry::ClientAuthenticator, registry::Registry};
use tower_revocation::enforce::{EnforcementLayer, Index};
use tower_revocation::introspect::Introspection;
use tower_revocation::introspect::issued::{Grant, IssuedTokens, NewToken};
use tower_revocation::{Error, ErrorKind, RevocationLayer};
use tower_revocation::{log::EmbeddedLog, revoke::RecordRevocation};

type Server = (ClientAuthenticator<Registry>, IssuedTokens);

const CLIENTS: &str = r#"[{ "client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV" }]"#;
const LIFETIME: Duration = Duration::from_secs(600);

/// `client_credentials` (RFC 6749 §4.4).
async fn issue((clients, tokens): Server, head: Parts, form: String) -> Result<Value, BoxError> {
    let client = clients
        .oneshot(Credentials::from_request(head, form.as_bytes())?)
        .await?;
    let client = client.ok_or(Error::new(ErrorKind::InvalidClient))?;
    if form
        .split('&')
        .all(|parameter| parameter != "grant_type=client_credentials")
    {
        let error = Error::new(ErrorKind::InvalidRequest);
        return Err(error.code("unsupported_grant_type").into());
    }
    let new = vec![NewToken::access_token(LIFETIME)];
    let issued = tokens.issue(Grant::random(client.client_id()), new).await?;
    let issued = issued.ok_or(Error::new(ErrorKind::Unavailable))?;
    let token = issued[0].token.expose();
    Ok(json!({ "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME.as_secs() }))
}

/// The token endpoint.
async fn token(State(server): State<Server>, head: Parts, form: String) -> Response {
    let error = match issue(server, head, form).await {
        Ok(token) => return ([(header::CACHE_CONTROL, "no-store")], Json(token)).into_response(),
        Err(error) => error,
    };
    let error = error.downcast_ref::<Error>();
    let (status, code) = match error.map(|error| (error.kind(), error.error_code())) {
        Some((ErrorKind::InvalidClient, _)) => (StatusCode::UNAUTHORIZED, "invalid_client"),
        Some((ErrorKind::InvalidRequest, Some(code))) => (StatusCode::BAD_REQUEST, code),
        Some((ErrorKind::InvalidRequest, None)) => (StatusCode::BAD_REQUEST, "invalid_request"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
    };
    let challenge = [(header::WWW_AUTHENTICATE, r#"Basic realm="oauth""#)];
    (status, challenge, Json(json!({ "error": code }))).into_response()
}

async fn me(Extension(token): Extension<Introspection>) -> String {
    format!("{}\n", token.client_id)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // The tokens, and which are revoked, in one file.
    let log = EmbeddedLog::open("tokens.redb")?.sweep_every(LIFETIME);
    let tokens = IssuedTokens::open(log.clone()).await?.sweep_every(LIFETIME);
    let index = Index::follow(&log).await?;

    let clients = ClientAuthenticator::new(Registry::from_json(CLIENTS)?);
    let backend = RecordRevocation::new(tokens.clone(), log)
        .responsible_for_all_tokens(true) // nothing else issues tokens
        .longest_lifetime(tokens.longest_lifetime());
    let revocation = RevocationLayer::new("/oauth2/revoke", clients.clone(), backend);
    let enforcement = EnforcementLayer::new(tokens.clone(), index);
    let routes = Router::new().route("/me", get(me)).route_layer(enforcement);
    let routes = routes
        .route("/oauth2/token", post(token))
        .with_state((clients, tokens));
    // The revocation layer goes around the whole router. `axum::serve` needs a router.
    let app = revocation.timer(TokioTimer::new()).layer(routes);
    let app = Router::new().fallback_service(app);

    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let bound = TcpListener::bind(&address).await;
    let listener = bound.map_err(|error| format!("LISTEN={address}: {error}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
