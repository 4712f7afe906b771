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

use std::{convert::Infallible, env, error::Error, fs, sync::Arc, time::Duration};

use http_body_util::{Either, Empty};
use hyper::{
    HeaderMap, Request, Response, StatusCode, Uri, Version,
    body::{Bytes, Incoming},
    header::{self, HeaderName},
    http::uri::{Authority, PathAndQuery, Scheme},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tower::{Layer as _, service_fn};
use tower_revocation::{
    RevocationLayer,
    client::registry::{ClientAuthenticator, Registry},
    enforce::{EnforcementLayer, Index},
    introspect::jwt::{Audience, JwtTokens},
    jose::Keys,
    log::EmbeddedLog,
    revoke::Record,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let upstream: Uri = setting("UPSTREAM", "http://127.0.0.1:8089").parse()?;
    let issuer = setting("ISSUER", "https://localhost:8443");
    let jwks = setting("JWKS", &format!("{issuer}/oauth2/jwks"));
    let audience = setting("AUDIENCE", &format!("{issuer}/api"));

    // Which tokens are genuine.
    let tokens = JwtTokens::new(issuer, Keys::at(&jwks)?, Audience::any_of([audience]));

    // What was revoked: durable in a file, and all of it in memory.
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/target/gateway.redb");
    let log = EmbeddedLog::open(setting("DATA", target))?;
    let index = Index::follow(&log).await?;
    tokio::spawn(sweep(log.clone()));

    // Who may revoke: a client, its own tokens.
    let clients = match env::var("CLIENTS") {
        Ok(path) => Registry::from_json(&fs::read_to_string(path)?)?,
        Err(_) => Registry::from_json(DEMO_CLIENTS)?,
    };
    let authenticator = ClientAuthenticator::new(clients);
    let revocation = RevocationLayer::new(
        "/oauth2/revoke",
        authenticator,
        Record::new(tokens.clone(), log),
    )
    .timer(TokioTimer::new());

    // A request comes from the top: to be revoked, to be let through, to be forwarded.
    let upstream = Arc::new(Upstream::new(upstream)?);
    let service = service_fn(move |request| forward(upstream.clone(), request));
    let service = EnforcementLayer::new(tokens, index).layer(service);
    let service = revocation.layer(service);

    let listener = TcpListener::bind(setting("LISTEN", "127.0.0.1:8090")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, perhaps: others may free some.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let mut server = auto::Builder::new(TokioExecutor::new());
            server.http1().timer(TokioTimer::new());
            server.http2().timer(TokioTimer::new());
            if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
                eprintln!("connection: {error}");
            }
        });
    }
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// Those of the demo to whom its server issues tokens for a secret.
const DEMO_CLIENTS: &str = r#"[
    { "client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV" },
    { "client_id": "c2", "client_secret": "s3cr3t-two" }
]"#;

/// Forgets the records whose tokens have expired.
async fn sweep(log: EmbeddedLog) {
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        if let Err(error) = log.sweep().await {
            eprintln!("sweeping: {error}");
        }
    }
}

/// Where requests go, and how.
struct Upstream {
    scheme: Scheme,
    authority: Authority,
    /// What stands before every path.
    prefix: String,
    client: Client<HttpConnector, Incoming>,
}

/// For the head of a response. Its body may take as long as it likes, and so may a request's.
const PATIENCE: Duration = Duration::from_secs(30);

impl Upstream {
    fn new(base: Uri) -> Result<Self, Box<dyn Error>> {
        let parts = base.into_parts();
        let scheme = parts.scheme.filter(|scheme| *scheme == Scheme::HTTP);
        let path = parts.path_and_query.as_ref().map_or("", PathAndQuery::path);
        let client = Client::builder(TokioExecutor::new())
            // Whether the API has seen a request is for its client to judge.
            .retry_canceled_requests(false)
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(5))
            .build_http();
        Ok(Self {
            scheme: scheme.ok_or("UPSTREAM: this is no http URL")?,
            authority: parts.authority.ok_or("UPSTREAM: there is no host")?,
            prefix: path.trim_end_matches('/').to_owned(),
            client,
        })
    }

    /// The same path and query there. None of a request without a path (`CONNECT`, `OPTIONS *`).
    fn uri(&self, asked: &Uri) -> Option<Uri> {
        let path = asked.path_and_query()?.as_str();
        let path = path
            .starts_with('/')
            .then(|| format!("{}{path}", self.prefix))?;
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .ok()
    }
}

type Answer = Response<Either<Incoming, Empty<Bytes>>>;

/// Hands a request on as it is, and the answer back: bodies as they come, and nothing twice.
async fn forward(
    upstream: Arc<Upstream>,
    mut request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let Some(uri) = upstream.uri(request.uri()) else {
        return Ok(failure(StatusCode::BAD_REQUEST));
    };
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    remove_hop_by_hop(request.headers_mut());
    // It is named anew, after the URI.
    request.headers_mut().remove(header::HOST);
    let answered = tokio::time::timeout(PATIENCE, upstream.client.request(request)).await;
    Ok(match answered {
        Ok(Ok(mut response)) => {
            remove_hop_by_hop(response.headers_mut());
            response.map(Either::Left)
        }
        Ok(Err(error)) => {
            eprintln!("upstream: {error}");
            failure(StatusCode::BAD_GATEWAY)
        }
        Err(_) => failure(StatusCode::GATEWAY_TIMEOUT),
    })
}

/// Fields that are about one connection and not about the message (RFC 9110 §7.6.1). Without
/// `Upgrade` among them, no other protocol is agreed upon behind the gateway's back.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let always = [
        header::CONNECTION,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ];
    for name in named.into_iter().chain(always) {
        headers.remove(name);
    }
}

fn failure(status: StatusCode) -> Answer {
    let mut response = Response::new(Either::Right(Empty::new()));
    *response.status_mut() = status;
    response
}
