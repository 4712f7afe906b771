//! A small authorization server. It issues tokens, revokes them, and refuses revoked tokens from
//! then on, also after `kill -9`.
//!
//! ```sh
//! cargo run --example authorization_server
//! ```
//!
//! It needs no other server, no file and no configuration. It signs in the demo user `alice`
//! without a prompt. With `--jwt`, access tokens are JWTs. `--help` lists the settings.

mod api;
mod authorize;
mod challenge;
mod client_addr;
mod clients;
mod command_line;
mod config;
mod greeting;
mod health;
mod index;
mod introspect;
mod jwt;
mod keys;
mod listen;
mod log;
mod metadata;
mod ports;
mod program;
mod replays;
mod request;
mod serve;
mod server;
mod setting;
mod store;
mod tls;
mod token;

use std::{env, error::Error, process::ExitCode, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, Method, StatusCode, header},
    routing::{any, get, post},
};
use hyper::{Request, body::Incoming};
use hyper_util::rt::TokioTimer;
use sha2::{Digest as _, Sha256};
use tower::{Layer as _, util::MapRequestLayer};
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer, timeout::TimeoutLayer};
use tower_revocation::{
    MetadataLayer, RevocationLayer,
    client::{
        attestation::Challenges,
        certificate::{CertificateFieldsLayer, CertificateFormat},
    },
    enforce::{EnforcementLayer, Index},
    introspect::{ByFormat, issued::IssuedTokens},
    log::FeedService,
    revoke::RecordRevocation,
};

use clients::Setup;
use command_line::{Command, HELP};
use config::Config;
use greeting::Greeting;
use jwt::Signer;
use keys::Keys;
use log::Log;
use ports::Ports;
use serve::Signals;
use server::Server;

#[tokio::main]
async fn main() -> ExitCode {
    program::run(run).await
}

async fn run(lines: Log) -> Result<(), Box<dyn Error>> {
    let config = match Command::read(env::args().skip(1))? {
        Command::Help => {
            print!("{HELP}");
            return Ok(());
        }
        Command::Serve { jwt } => Config::from_env(jwt)?,
    };

    let log = config.open_store(SWEEP_INTERVAL).await?;
    let wrong_store = |error| config.wrong_store(error);
    let tokens = IssuedTokens::open(log.clone()).await;
    let tokens = tokens.map_err(wrong_store)?.sweep_every(SWEEP_INTERVAL);
    let replays = replays::open(&log, SWEEP_INTERVAL).map_err(wrong_store)?;
    let index = Index::follow(&log).await.map_err(wrong_store)?;
    let feed = config.feed(&log)?;

    let in_keys = |error: Box<dyn Error>| config.keys.wrong(error);
    let keys = Keys::open_or_create(config.keys.value().into()).map_err(in_keys)?;
    let ports = Ports::bind(&config, &keys).await?;
    let issuer = config.issuer.clone().unwrap_or_else(|| ports.issuer());
    let has_demo_clients = config.clients.is_none();
    let clients = match config.clients {
        Some(clients) => clients,
        None => clients::demo(&keys).map_err(in_keys)?,
    };

    // One introspection for all: revocation, the introspection endpoint and enforcement.
    let signing_key = keys.read_or_create("access-tokens.pem").map_err(in_keys)?;
    let signer = Signer::new(&issuer, &signing_key).map_err(in_keys)?;
    let introspect = ByFormat::new(signer.introspection()?, tokens.clone());

    // The two services of the revocation layer: the authenticator and the backend.
    // Servers with the same keys accept each other's challenges.
    let challenges = Sha256::new_with_prefix("challenges").chain_update(&signing_key);
    let challenges = Challenges::keyed(&challenges.finalize());
    let setup = Setup {
        issuer: &issuer,
        tls: ports.tls_base.as_deref(),
        certificates: ports.tls.is_some() || !config.trusted_proxies.is_empty(),
        replays,
        challenges: challenges.clone(),
        keys: &keys,
    };
    let authenticator = setup.authenticator(clients.clone()).map_err(in_keys)?;
    // Only this server issues its tokens, and `introspect` knows all of them.
    let backend = RecordRevocation::new(introspect.clone(), log.clone())
        .responsible_for_all_tokens(true)
        .longest_lifetime(tokens.longest_lifetime());
    let mut revocation = RevocationLayer::new(REVOKE, authenticator.clone(), backend)
        .timer(TokioTimer::new())
        .cors(config.cors_origins.clone());
    if let Some(base) = &ports.tls_base {
        revocation = revocation.mtls_alias(format!("{base}{REVOKE}"));
    }
    let about_revocation = revocation.metadata(format!("{issuer}{REVOKE}"));
    let document = metadata::document(&issuer, ports.tls_base.as_deref(), &about_revocation);
    let metadata = MetadataLayer::new(&issuer, &about_revocation, document);

    let server = Server {
        issuer: issuer.into(),
        clients,
        authenticator,
        challenges,
        access_tokens: config.access_tokens,
        signer: Arc::new(signer),
        tokens: tokens.clone(),
        introspect,
        index,
        log: log.clone(),
    };
    // The revocation layer wraps the whole router, so that no route can bypass it. The outermost
    // layers read certificates and addresses that trusted proxies report, and remove the fields of
    // others.
    let proxies = config.trusted_proxies;
    let fields = CertificateFieldsLayer::new(CertificateFormat::ClientCert, proxies.clone());
    let addresses = MapRequestLayer::new(move |request: Request<Incoming>| {
        client_addr::note(request, &proxies)
    });
    let app = metadata.layer(revocation.layer(routes(server, config.cors_origins, feed)));
    let app = fields.layer(CatchPanicLayer::custom(request::panicked).layer(app));
    let app = addresses.layer(app);

    let mut signals = Signals::listen()?;
    let greeting = Greeting {
        address: ports.address,
        tls: ports.tls_base.as_deref(),
        keys: keys.paths().map_err(|error| config.keys.wrong(error))?,
        has_demo_clients,
    };
    greeting.print()?;
    // The first signal stops the server gracefully; the second one ends the process at once.
    let connections = serve::serve(ports.plain, ports.tls, app, &mut signals).await;
    let ended = async {
        serve::shut_down(connections).await;
        store::close(log).await
    };
    tokio::select! {
        ended = ended => ended,
        () = signals.next() => {
            lines.flush();
            std::process::exit(1)
        }
    }
}

const REVOKE: &str = "/oauth2/revoke";

/// The server's own endpoints.
fn routes(server: Server, cors_origins: Vec<HeaderValue>, feed: Option<FeedService>) -> Router {
    // Only for the endpoints that apps in browsers call. A browser is redirected to the
    // authorization endpoint and does not call it (RFC 9700 §2.6), and resource servers are not
    // browsers.
    let cors = CorsLayer::new()
        .allow_origin(cors_origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::WWW_AUTHENTICATE]);
    let timeout = || TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIMEOUT);
    let enforcement = EnforcementLayer::new(server.introspect.clone(), server.index.clone());
    let api = Router::new()
        .route("/api/me", any(api::me))
        .route("/api/events", get(api::events))
        .route_layer(enforcement);
    let for_apps = Router::new()
        .route("/oauth2/token", post(token::token))
        .route("/oauth2/challenge", post(challenge::challenge))
        .route("/oauth2/jwks", get(jwt::jwks))
        .merge(api)
        .layer(timeout())
        // Outside the enforcement layer, because a preflight request has no token.
        .layer(cors);
    let router = Router::new()
        .route("/", get(index::index))
        .route("/oauth2/authorize", get(authorize::authorize))
        .route("/oauth2/introspect", post(introspect::introspect))
        .route("/health", get(health::checks))
        .route("/health/revocation", get(health::revocation))
        .layer(timeout())
        .merge(for_apps)
        .layer(DefaultBodyLimit::max(64 * 1024))
        .with_state(server);
    match feed {
        Some(feed) => router.route_service("/feed", feed),
        None => router,
    }
}

/// Limits a request whose store stalls.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How often to remove expired entries.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
