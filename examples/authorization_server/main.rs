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
mod metadata;
mod request;
mod serve;
mod server;
mod token;

use std::{error::Error, fs, process::ExitCode, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, StatusCode, header},
    routing::{any, get, post},
};
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tower::Layer as _;
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer, timeout::TimeoutLayer};
use tower_revocation::{
    RevocationLayer,
    client::registry::ClientAuthenticator,
    enforce::Index,
    introspect::issued::IssuedTokens,
    log::{EmbeddedLog, NumericDate},
    revoke::Record,
};

use config::Config;
use serve::Signals;
use server::Server;

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

    // Who asks, and what is done: the two services that the layer is made of.
    let authenticator = ClientAuthenticator::new(config.clients.clone());
    let backend =
        Record::new(tokens.clone(), log.clone()).longest_lifetime(tokens.longest_lifetime());
    let revocation = RevocationLayer::new("/oauth2/revoke", authenticator.clone(), backend)
        .timer(TokioTimer::new())
        .cors(config.cors_origins.clone());

    let listener = TcpListener::bind(config.listen).await?;
    let address = listener.local_addr()?;
    let issuer = config.issuer.unwrap_or_else(|| format!("http://{address}"));
    let server = Server {
        issuer: issuer.into(),
        clients: config.clients,
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

    // The revocation layer goes around the whole router, so that no route is beside it.
    let app = CatchPanicLayer::custom(request::panicked).layer(revocation.layer(routes));

    tokio::spawn(sweep(log.clone(), tokens, index));
    let mut signals = Signals::listen()?;
    println!("listening on http://{address}");
    println!("everybody who comes to /oauth2/authorize is signed in as alice, without a prompt");
    let ended = async {
        let mut signals = Signals::listen()?;
        serve::serve(listener, app, &mut signals).await;
        log.drain().await.map_err(<Box<dyn Error>>::from)
    };
    tokio::select! {
        ended = ended => ended,
        // The first signal is for the server; the second ends the process at once.
        () = signals.twice() => std::process::exit(1),
    }
}

/// For a store that stalls.
const PATIENCE: Duration = Duration::from_secs(20);

/// Forgets what has expired, aside of requests.
async fn sweep(log: EmbeddedLog, tokens: IssuedTokens, index: Index) {
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        index.sweep(NumericDate::now());
        for swept in [log.sweep().await, tokens.sweep().await] {
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
