//! A gateway in front of an API that knows nothing of revocation. It forwards a request if the JWT
//! in it is genuine and not revoked. Clients revoke their tokens at the gateway.
//!
//! ```sh
//! # The API, which also issues the tokens and publishes its keys over TLS:
//! TLS_LISTEN=127.0.0.1:8443 ISSUER=https://localhost:8443 \
//!   cargo run --example authorization_server -- --jwt
//! # The gateway, which trusts the certificate of the demo, in another terminal:
//! SSL_CERT_FILE=target/authorization_server.keys/ca.pem cargo run --example gateway
//!
//! TOKEN=$(curl -s -u s6BhdRkqt3:gX1fBat3bV -d grant_type=client_credentials \
//!   http://127.0.0.1:8089/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
//! curl -si -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8090/api/me
//! curl -si -u s6BhdRkqt3:gX1fBat3bV -d "token=$TOKEN" http://127.0.0.1:8090/oauth2/revoke
//! curl -si -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8090/api/me
//! ```
//!
//! It knows the issuer's access tokens, but not its refresh tokens. It answers the revocation of a
//! refresh token with `unsupported_token_type`, unless `REVOCATION` names the revocation endpoint
//! of the issuer. Then it forwards every revocation to that endpoint, with the credentials of the
//! client, and records it here too.

mod config;
mod entry;
#[path = "../authorization_server/listen.rs"]
mod listen;
#[path = "../authorization_server/log.rs"]
mod log;
#[path = "../authorization_server/program.rs"]
mod program;
#[path = "../authorization_server/setting.rs"]
mod setting;
#[path = "../authorization_server/store.rs"]
mod store;

use std::{error::Error, process::ExitCode, sync::Arc, time::Duration};

use hyper_util::rt::TokioTimer;
use tokio::signal::unix::{SignalKind, signal};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn, util::BoxCloneSyncService};
use tower_revocation::{
    Outcome, RevocationLayer, RevocationRequest,
    client::{
        KeepCredentials, WithCredentials,
        limit::LimitFailuresLayer,
        registry::{Client, ClientAuthenticator},
    },
    enforce::{EnforcementLayer, Index},
    log::MemoryLog,
    proxy::{ReverseProxy, SanitizeLayer, server::Server},
    revoke::RecordRevocation,
};

use config::Config;
use entry::Health;
use store::Store;

#[tokio::main]
async fn main() -> ExitCode {
    program::run(|_| run()).await
}

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::from_env()?;

    // The revocations: durable in a file or on a server, and an index of all of them in memory.
    let log = config.open_log().await?;
    let index = Index::follow(&log).await?;

    // A client may revoke its own tokens. Guesses of a secret are limited.
    let clients = ClientAuthenticator::new(config.clients.clone());
    let clients = LimitFailuresLayer::new().layer(clients);
    let backend = backend(&config, log.clone())?;
    let revocation = RevocationLayer::new("/oauth2/revoke", KeepCredentials::new(clients), backend)
        .timer(TokioTimer::new());

    // A request passes these from the last to the first: cleaning, health checks, revocation,
    // enforcement, forwarding.
    let service = ReverseProxy::new(config.upstream.clone())?;
    let service = EnforcementLayer::new(config.tokens.clone(), index.clone()).layer(service);
    let service = revocation.layer(service);
    let ended = log.clone();
    let health = Arc::new(Health { index, log });
    let service = service_fn(move |request| entry::enter(health.clone(), service.clone(), request));
    // This API does not ask where its clients are.
    let service = SanitizeLayer::new().set_forwarded(false).layer(service);

    let listener = config.listen.bind().await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    println!("listening on http://{}", listener.local_addr()?);
    let signals = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let server = Server::new().idle_timeout(Duration::from_secs(10));
    server.serve(listener, service, signals).await;
    store::close(ended).await
}

type Backend =
    BoxCloneSyncService<RevocationRequest<WithCredentials<Arc<Client>>>, Outcome, BoxError>;

/// Records a revocation. If `REVOCATION` is set, forwards it to the issuer first.
fn backend(config: &Config, log: Store) -> Result<Backend, Box<dyn Error>> {
    if config.log_is_a_feed() {
        // The issuer records it in the log that this gateway follows.
        let record = RecordRevocation::new(config.tokens.clone(), in_memory());
        let forward = config.forward(record)?;
        let forward = forward.ok_or(
            "LOG: a feed can only be read: set REVOCATION to the issuer's revocation endpoint",
        )?;
        return Ok(BoxCloneSyncService::new(forward));
    }
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

/// A log in memory, without followers.
fn in_memory() -> MemoryLog {
    let log = MemoryLog::new();
    let sweeping = log.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(60)).await;
            // It fails while the clock is not trusted.
            let _ = sweeping.sweep();
        }
    });
    log
}
