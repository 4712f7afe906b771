//! A gateway in front of an API that knows nothing of revocation: it forwards a request when the
//! JWT that it carries is genuine and not revoked, and its clients revoke their tokens here.
//!
//! ```sh
//! # The API, which issues the tokens too, and publishes its keys over TLS:
//! TLS_LISTEN=127.0.0.1:8443 ISSUER=https://localhost:8443 \
//!   cargo run --example authorization_server -- --jwt
//! # The gateway, which trusts the certificate of that demo:
//! SSL_CERT_FILE=target/authorization_server.keys/ca.pem cargo run --example gateway
//!
//! TOKEN=$(curl -s -u s6BhdRkqt3:gX1fBat3bV -d grant_type=client_credentials \
//!   http://127.0.0.1:8089/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
//! curl -si -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8090/api/me
//! curl -si -u s6BhdRkqt3:gX1fBat3bV -d "token=$TOKEN" http://127.0.0.1:8090/oauth2/revoke
//! curl -si -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8090/api/me
//! ```
//!
//! It knows the issuer's access tokens and no refresh tokens: to revoke one of these here is
//! `unsupported_token_type`, unless `REVOCATION` names the issuer's own revocation endpoint. Then
//! every revocation is forwarded there, with the credentials of the client, and recorded here.

mod body;
mod config;
mod entry;
mod fields;
mod forward;
mod host;
mod idle;
mod serve;
#[path = "../authorization_server/setting.rs"]
mod setting;

use std::{error::Error, io::IsTerminal as _, process::ExitCode, sync::Arc};

use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn, util::BoxCloneSyncService};
use tower_revocation::{
    Outcome, RevocationLayer, RevocationRequest,
    client::{
        KeepCredentials, WithCredentials,
        limit::LimitFailuresLayer,
        registry::{Client, ClientAuthenticator},
    },
    enforce::{EnforcementLayer, Index},
    log::EmbeddedLog,
    revoke::RecordRevocation,
};

use config::Config;
use entry::Health;
use forward::Upstream;

#[tokio::main]
async fn main() -> ExitCode {
    // Why a request is refused, and whose token was revoked.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_max_level(LEVEL)
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", setting::last_words(&*error));
            ExitCode::FAILURE
        }
    }
}

const LEVEL: tracing_subscriber::filter::LevelFilter =
    tracing_subscriber::filter::LevelFilter::INFO;

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::from_env()?;

    // What was revoked: durable in a file, and all of it in memory.
    let log = config.open_log()?;
    let index = Index::follow(&log).await?;

    // Who may revoke: a client, its own tokens. Who guesses secrets has few attempts.
    let clients = ClientAuthenticator::new(config.clients.clone());
    let clients = LimitFailuresLayer::new().layer(clients);
    let backend = backend(&config, log.clone())?;
    let revocation = RevocationLayer::new("/oauth2/revoke", KeepCredentials::new(clients), backend)
        .timer(TokioTimer::new());

    // A request comes from the top: to be cleaned, to be revoked, to be let through, to be
    // forwarded.
    let upstream = Arc::new(Upstream::new(config.upstream.clone()));
    let service = service_fn(move |request| forward::forward(upstream.clone(), request));
    let service = EnforcementLayer::new(config.tokens.clone(), index.clone()).layer(service);
    let service = revocation.layer(service);
    let health = Arc::new(Health { index, log });
    let service = service_fn(move |request| entry::enter(health.clone(), service.clone(), request));

    let listener = TcpListener::bind(config.listen.value()).await;
    let listener = listener.map_err(|error| config.listen.wrong(error))?;
    println!("listening on http://{}", listener.local_addr()?);
    serve::serve(listener, service).await
}

type Backend =
    BoxCloneSyncService<RevocationRequest<WithCredentials<Arc<Client>>>, Outcome, BoxError>;

/// Records, and forwards to the issuer first if its endpoint is named.
fn backend(config: &Config, log: EmbeddedLog) -> Result<Backend, Box<dyn Error>> {
    let record = RecordRevocation::new(config.tokens.clone(), log);
    Ok(match config.forward(record.clone())? {
        Some(forward) => BoxCloneSyncService::new(forward),
        None => BoxCloneSyncService::new(record.map_request(
            |request: RevocationRequest<WithCredentials<Arc<Client>>>| {
                RevocationRequest::new(request.client.into_client(), request.token)
            },
        )),
    })
}
