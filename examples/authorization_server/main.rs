//! A small authorization server: tokens are issued, used, revoked, and refused from then on, also
//! after `kill -9`.
//!
//! ```sh
//! cargo run --example authorization_server
//! ```
//!
//! It needs no server, no file and no set-up. The demo user `alice` is signed in without a prompt.
//! `--jwt` makes access tokens JWTs, and `--help` says what else can be set.

mod api;
mod authorize;
mod challenge;
mod clients;
mod command_line;
mod config;
mod health;
mod introspect;
mod jwt;
mod keys;
mod metadata;
mod request;
mod serve;
mod server;
mod tls;
mod token;

use std::{env, error::Error, fs, process::ExitCode, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, Method, StatusCode, header},
    routing::{any, get, post},
};
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tower::Layer as _;
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer, timeout::TimeoutLayer};
use tower_revocation::{
    RevocationLayer,
    client::{
        attestation::Challenges,
        certificate::{CertificateFieldsLayer, CertificateForm},
        replay::EmbeddedGuard,
    },
    enforce::{EnforcementLayer, Index},
    introspect::{ByShape, issued::IssuedTokens},
    log::EmbeddedLog,
    revoke::Record,
};

use clients::Setup;
use command_line::{Command, HELP};
use config::Config;
use jwt::Signer;
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
    let config = match Command::read(env::args().skip(1))? {
        Command::Help => {
            print!("{HELP}");
            return Ok(());
        }
        Command::Serve { jwt } => Config::from_env(jwt)?,
    };

    let log = open(&config)?.sweep_every(SWEEP);
    let tokens = IssuedTokens::open(log.clone()).await?.sweep_every(SWEEP);
    let index = Index::follow(&log).await?;

    let keys = Keys::open_or_make(config.keys)?;
    let clients = match config.clients {
        Some(clients) => clients,
        None => clients::demo(&keys)?,
    };

    let listener = TcpListener::bind(config.listen).await?;
    let address = listener.local_addr()?;
    let issuer = config.issuer.unwrap_or_else(|| match address.ip() {
        ip if ip.is_loopback() => format!("http://{address}"),
        // Plain HTTP is for this machine alone.
        _ => format!("http://localhost:{}", address.port()),
    });
    let tls = match config.tls_listen {
        Some(address) => Some((TcpListener::bind(address).await?, Tls::new(&keys)?)),
        None => None,
    };
    let tls_base = match &tls {
        Some((listener, _)) => Some(format!(
            "https://localhost:{}",
            listener.local_addr()?.port()
        )),
        None => None,
    };

    // Who knows the tokens: what they revoke, introspect and let through is the same.
    let signer = Signer::new(&issuer, &keys.read_or_make("access-tokens.pem")?)?;
    let introspect = ByShape::new(signer.introspection()?, tokens.clone());

    // Who asks, and what is done: the two services that the layer is made of.
    let replays = EmbeddedGuard::open(log.clone())?;
    let challenges = Challenges::new();
    let setup = Setup {
        issuer: &issuer,
        tls: tls_base.as_deref(),
        certificates: tls.is_some() || !config.trusted_proxies.is_empty(),
        replays: replays.clone(),
        challenges: challenges.clone(),
        keys: &keys,
    };
    let authenticator = setup.authenticator(clients.clone())?;
    // Nothing but this server issues its tokens, and `introspect` knows all of them.
    let backend = Record::new(introspect.clone(), log.clone())
        .responsible_for_all_tokens(true)
        .longest_lifetime(tokens.longest_lifetime());
    let mut revocation = RevocationLayer::new(REVOKE, authenticator.clone(), backend)
        .timer(TokioTimer::new())
        .cors(config.cors_origins.clone());
    if let Some(base) = &tls_base {
        revocation = revocation.mtls_alias(format!("{base}{REVOKE}"));
    }
    let endpoint = format!("{issuer}{REVOKE}");
    let document = metadata::document(
        &issuer,
        tls_base.as_deref(),
        &revocation.metadata(&endpoint),
    );
    let revocation = revocation.serve_metadata(&issuer, endpoint, document);

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
    // The revocation layer goes around the whole router, so that no route is beside it; and around
    // everything goes what drops certificates that nobody vouches for.
    let fields = CertificateFieldsLayer::new(CertificateForm::ClientCert, config.trusted_proxies);
    let app = revocation.layer(routes(server, config.cors_origins));
    let app = fields.layer(CatchPanicLayer::custom(request::panicked).layer(app));

    tokio::spawn(sweep(replays));
    let mut signals = Signals::listen()?;
    println!("listening on http://{address}");
    if let Some(base) = &tls_base {
        println!("listening on {base}");
    }
    for path in keys.paths()? {
        println!("key or certificate: {}", path.display());
    }
    println!("everybody who comes to /oauth2/authorize is signed in as alice, without a prompt");
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

/// One file: the log of revocations, and beside it the tokens that were issued.
fn open(config: &Config) -> Result<EmbeddedLog, Box<dyn Error>> {
    if let Some(folder) = config.data.parent() {
        fs::create_dir_all(folder)?;
    }
    // A file that is lost must not become an empty one: what was revoked would be live.
    let opened = if config.data_is_expected {
        EmbeddedLog::open_existing(&config.data)
    } else {
        EmbeddedLog::open(&config.data)
    };
    let named = |error| format!("DATA: {}: {}", config.data.display(), causes(&error));
    Ok(opened.map_err(named)?)
}

/// The server's own endpoints.
fn routes(server: Server, cors_origins: Vec<HeaderValue>) -> Router {
    // With a policy of their own: a browser is sent to the authorization endpoint and does not call
    // it (RFC 9700 §2.6), and resource servers are no browsers.
    let cors = CorsLayer::new()
        .allow_origin(cors_origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::WWW_AUTHENTICATE]);
    let patience = || TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PATIENCE);
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
        .layer(patience())
        // Outside of the enforcement: a preflight has no token.
        .layer(cors);
    Router::new()
        .route("/oauth2/authorize", get(authorize::authorize))
        .route("/oauth2/introspect", post(introspect::introspect))
        .route("/health", get(health::checks))
        .route("/health/revocation", get(health::revocation))
        .layer(patience())
        .merge(for_apps)
        .layer(DefaultBodyLimit::max(64 * 1024))
        .with_state(server)
}

/// For a store that stalls.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often to forget what has expired.
const SWEEP: Duration = Duration::from_secs(60);

/// Forgets the assertions that have expired, aside of requests.
async fn sweep(replays: EmbeddedGuard) {
    let mut minutes = tokio::time::interval(SWEEP);
    loop {
        minutes.tick().await;
        if let Err(error) = replays.sweep().await {
            tracing::error!(cause = causes(&error), "sweeping assertions");
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
