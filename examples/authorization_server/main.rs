//! A small authorization server: tokens are issued, used, revoked, and refused from then on, also
//! after `kill -9`.
//!
//! ```sh
//! cargo run --example authorization_server
//! ```
//!
//! It needs no server, no file and no set-up. The demo user `alice` is signed in without a prompt.
//! What can be set by the environment stands in `config.rs`.

mod api;
mod authorize;
mod config;
mod introspect;
mod keys;
mod metadata;
mod request;
mod serve;
mod server;
mod tls;
mod token;

use std::{error::Error, fs, process::ExitCode, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, StatusCode, header},
    routing::{any, get, post},
};
use hyper_util::rt::TokioTimer;
use serde_json::Value;
use tokio::net::TcpListener;
use tower::Layer as _;
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer, timeout::TimeoutLayer};
use tower_revocation::{
    RevocationLayer,
    client::{
        assertion::{Assertions, AudiencePolicy},
        certificate::{CertificateFieldsLayer, CertificateForm},
        limit::LimitFailuresLayer,
        password::Passwords,
        registry::{ClientAuthenticator, Registry},
        replay::EmbeddedGuard,
    },
    enforce::Index,
    introspect::issued::IssuedTokens,
    log::{EmbeddedLog, NumericDate},
    revoke::Record,
};

use config::Config;
use keys::Keys;
use serve::Signals;
use server::Server;
use tls::Tls;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(LEVEL)
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("authorization_server: {}", causes(&*error));
            ExitCode::FAILURE
        }
    }
}

const LEVEL: tracing_subscriber::filter::LevelFilter =
    tracing_subscriber::filter::LevelFilter::INFO;

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::from_env()?;

    // One file: the log of revocations, and beside it the tokens that were issued.
    if let Some(folder) = config.data.parent() {
        fs::create_dir_all(folder)?;
    }
    let log = EmbeddedLog::open(&config.data)
        .map_err(|error| format!("DATA: {}: {}", config.data.display(), causes(&error)))?;
    let tokens = IssuedTokens::open(log.clone()).await?;
    let index = Index::follow(&log).await?;

    let keys = Keys::open_or_make(config.keys)?;
    let clients = match config.clients {
        Some(clients) => clients,
        None => demo_clients(&keys)?,
    };

    let listener = TcpListener::bind(config.listen).await?;
    let address = listener.local_addr()?;
    let within_tls = match config.tls_listen {
        Some(address) => Some(TcpListener::bind(address).await?),
        None => None,
    };
    let tls_base = match &within_tls {
        Some(listener) => Some(format!(
            "https://localhost:{}",
            listener.local_addr()?.port()
        )),
        None => None,
    };
    let issuer = config.issuer.unwrap_or_else(|| format!("http://{address}"));

    // Who asks, and what is done: the two services that the layer is made of.
    let replays = EmbeddedGuard::open(log.clone())?;
    let mut authenticator = ClientAuthenticator::new(clients.clone())
        .passwords(Passwords::new())
        .assertions(assertions(&issuer, tls_base.as_deref()).replay_guard(replays.clone()));
    if tls_base.is_some() || !config.trusted_proxies.is_empty() {
        // Otherwise there are no certificates, and the metadata would promise what cannot be.
        authenticator = authenticator.certificates();
    }
    let authenticator = LimitFailuresLayer::new()
        .with_failures(FAILURES)
        .layer(authenticator);
    let backend =
        Record::new(tokens.clone(), log.clone()).longest_lifetime(tokens.longest_lifetime());
    let mut revocation = RevocationLayer::new(REVOKE, authenticator.clone(), backend)
        .timer(TokioTimer::new())
        .cors(config.cors_origins.clone());
    if let Some(base) = &tls_base {
        revocation = revocation.mtls_alias(format!("{base}{REVOKE}"));
    }

    let metadata = revocation.metadata(format!("{issuer}{REVOKE}"));
    let metadata = metadata::document(&issuer, tls_base.as_deref(), &metadata);
    let server = Server {
        metadata: metadata.into(),
        issuer: issuer.into(),
        clients,
        authenticator,
        tokens: tokens.clone(),
        index: index.clone(),
        log: log.clone(),
    };

    // The app's own routes, with a policy of their own: a browser is sent to the authorization
    // endpoint and does not call it (RFC 9700 §2.6), and resource servers are no browsers.
    let cors = CorsLayer::new()
        .allow_origin(config.cors_origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::WWW_AUTHENTICATE]);
    let for_apps = Router::new()
        .route(
            "/.well-known/oauth-authorization-server",
            get(metadata::metadata),
        )
        .route("/oauth2/token", post(token::token))
        .route("/api/me", any(api::me))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            PATIENCE,
        ))
        .layer(cors);
    let routes = Router::new()
        .route("/oauth2/authorize", get(authorize::authorize))
        .route("/oauth2/introspect", post(introspect::introspect))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            PATIENCE,
        ))
        .merge(for_apps)
        .layer(DefaultBodyLimit::max(64 * 1024))
        .with_state(server);

    // The revocation layer goes around the whole router, so that no route is beside it; and around
    // everything goes what drops certificates that nobody vouches for.
    let fields = CertificateFieldsLayer::new(CertificateForm::ClientCert, config.trusted_proxies);
    let app = CatchPanicLayer::custom(request::panicked).layer(revocation.layer(routes));
    let app = fields.layer(app);

    tokio::spawn(sweep(log.clone(), tokens, index, replays));
    let mut signals = Signals::listen()?;
    println!("listening on http://{address}");
    if let Some(base) = &tls_base {
        println!("listening on {base}");
    }
    for path in keys.paths()? {
        println!("key or certificate: {}", path.display());
    }
    println!("everybody who comes to /oauth2/authorize is signed in as alice, without a prompt");
    let tls = match within_tls {
        Some(listener) => Some((listener, Tls::new(&keys)?)),
        None => None,
    };
    let ended = async {
        let mut signals = Signals::listen()?;
        serve::serve(listener, tls, app, &mut signals).await;
        log.drain().await.map_err(<Box<dyn Error>>::from)
    };
    tokio::select! {
        ended = ended => ended,
        // The first signal is for the server; the second ends the process at once.
        () = signals.twice() => std::process::exit(1),
    }
}

const REVOKE: &str = "/oauth2/revoke";

/// So many failures of one client from one address in a minute.
const FAILURES: u32 = 20;

/// The clients that come with this server: some have secrets, and some have keys, which are made at
/// the first start.
fn demo_clients(keys: &Keys) -> Result<Registry, Box<dyn Error>> {
    let mut clients: Vec<Value> = serde_json::from_str(include_str!("clients.json"))?;
    clients.extend(keys.clients()?);
    Ok(Registry::from_json(&Value::Array(clients).to_string())?)
}

/// For clients that send the URL of the endpoint where the issuer belongs, Authlib among them.
fn assertions(issuer: &str, tls: Option<&str>) -> Assertions {
    let endpoints = [issuer].into_iter().chain(tls).flat_map(|base| {
        ["/oauth2/token", "/oauth2/introspect", REVOKE].map(|path| format!("{base}{path}"))
    });
    Assertions::new(issuer).audience(AudiencePolicy::legacy(issuer, endpoints))
}

/// For a store that stalls.
const PATIENCE: Duration = Duration::from_secs(20);

/// Forgets what has expired, aside of requests.
async fn sweep(log: EmbeddedLog, tokens: IssuedTokens, index: Index, replays: EmbeddedGuard) {
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        index.sweep(NumericDate::now());
        for swept in [
            log.sweep().await,
            tokens.sweep().await,
            replays.sweep().await,
        ] {
            if let Err(error) = swept {
                tracing::error!(cause = causes(&error), "sweeping");
            }
        }
    }
}

/// An error and what it comes from, on one line.
fn causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line = format!("{line}: {cause}");
        next = cause.source();
    }
    line
}
