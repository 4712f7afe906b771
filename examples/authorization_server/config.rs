//! What can be set: by the environment, and a little by the command line.

use std::{
    env,
    error::Error,
    fs,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    path::PathBuf,
};

use axum::http::{HeaderValue, Uri};
use tower_revocation::client::{certificate::Network, registry::Registry};

/// What an access token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessTokens {
    /// Random, and registered.
    Opaque,
    /// Self-contained, and signed (RFC 9068).
    Jwt,
}

/// Everything that can be set.
pub(crate) struct Config {
    /// `LISTEN`: where to listen.
    pub(crate) listen: SocketAddr,
    /// `ISSUER`: the issuer identifier, unless it follows from where the server listens.
    pub(crate) issuer: Option<String>,
    /// `TLS_LISTEN`: where to listen for TLS, which asks for client certificates, if anywhere.
    pub(crate) tls_listen: Option<SocketAddr>,
    /// `DATA`: the file that holds the state.
    pub(crate) data: PathBuf,
    /// Whether the server has run before, so that the file is there.
    pub(crate) data_is_expected: bool,
    /// `KEYS`: the folder of keys and certificates, beside the data unless this is set.
    pub(crate) keys: PathBuf,
    /// `TRUSTED_PROXIES`: addresses and networks whose `Client-Cert` is believed (RFC 9440).
    pub(crate) trusted_proxies: Vec<Network>,
    /// `CORS_ORIGINS`: the origins whose apps may call across origins.
    pub(crate) cors_origins: Vec<HeaderValue>,
    /// `CLIENTS`: a JSON file of registered clients, in place of the demo's own.
    pub(crate) clients: Option<Registry>,
    /// `ACCESS_TOKENS`, or `--jwt`: what access tokens are from now on.
    pub(crate) access_tokens: AccessTokens,
}

impl Config {
    /// With `--jwt`, or without.
    pub(crate) fn from_env(jwt: bool) -> Result<Self, Box<dyn Error>> {
        let listen = var("LISTEN")?.unwrap_or_else(|| "127.0.0.1:8089".into());
        let cors_origins = var("CORS_ORIGINS")?.unwrap_or_else(|| "http://127.0.0.1:5173".into());
        let target = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/target/authorization_server.redb"
        );
        let data = var("DATA")?.map_or_else(|| target.into(), PathBuf::from);
        let chosen_keys = var("KEYS")?.map(PathBuf::from);
        // They are made after the data, and beside it.
        let beside = data.with_extension("keys");
        let data_is_expected = chosen_keys.is_none() && beside.is_dir();
        let keys = chosen_keys.unwrap_or(beside);
        Ok(Self {
            listen: address("LISTEN", &listen)?,
            tls_listen: var("TLS_LISTEN")?
                .map(|listen| address("TLS_LISTEN", &listen))
                .transpose()?,
            issuer: var("ISSUER")?.map(issuer).transpose()?,
            data,
            data_is_expected,
            keys,
            trusted_proxies: networks(&var("TRUSTED_PROXIES")?.unwrap_or_default())?,
            cors_origins: origins(&cors_origins)?,
            clients: clients(var("CLIENTS")?)?,
            access_tokens: access_tokens(var("ACCESS_TOKENS")?.as_deref(), jwt)?,
        })
    }
}

fn var(name: &str) -> Result<Option<String>, Box<dyn Error>> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(format!("{name}: {error}").into()),
    }
}

/// Everybody who reaches this server is signed in as `alice`, so only this machine may.
fn address(name: &str, listen: &str) -> Result<SocketAddr, Box<dyn Error>> {
    let mut addresses = listen
        .to_socket_addrs()
        .map_err(|error| format!("{name}: {error}"))?;
    let address = addresses
        .next()
        .ok_or_else(|| format!("{name}: no such address"))?;
    if !address.ip().is_loopback() && var("DEMO_EXPOSE")?.as_deref() != Some("1") {
        return Err(format!(
            "{name}: {address} is not a loopback address, and this server signs everybody in \
             without a prompt. DEMO_EXPOSE=1 listens there all the same."
        )
        .into());
    }
    Ok(address)
}

/// RFC 8414 §2: no query, no fragment; plain HTTP on this machine alone. A slash at the end would
/// stand twice in the endpoints.
fn issuer(issuer: String) -> Result<String, Box<dyn Error>> {
    let uri: Option<Uri> = issuer.parse().ok();
    let is_local = uri.as_ref().and_then(Uri::host).is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse();
        host == "localhost" || address.is_ok_and(|ip: IpAddr| ip.is_loopback())
    });
    let has_scheme = issuer.starts_with("https://") || issuer.starts_with("http://") && is_local;
    if uri.is_some() && has_scheme && !issuer.contains(['?', '#', '@']) && !issuer.ends_with('/') {
        Ok(issuer)
    } else {
        Err(format!(
            "ISSUER: {issuer} is not a URL by https, or by http of this machine, without query, \
             fragment and last slash"
        )
        .into())
    }
}

fn networks(list: &str) -> Result<Vec<Network>, Box<dyn Error>> {
    list.split(',')
        .map(str::trim)
        .filter(|network| !network.is_empty())
        .map(|network| {
            network
                .parse()
                .map_err(|error| format!("TRUSTED_PROXIES: {network}: {error}").into())
        })
        .collect()
}

fn origins(list: &str) -> Result<Vec<HeaderValue>, Box<dyn Error>> {
    list.split(',')
        .map(str::trim)
        .filter(|origin| !origin.is_empty())
        .map(|origin| {
            if !origin.contains("://") || origin.ends_with('/') {
                return Err(format!("CORS_ORIGINS: {origin} is not scheme://host[:port]").into());
            }
            Ok(HeaderValue::from_str(origin).map_err(|error| format!("CORS_ORIGINS: {error}"))?)
        })
        .collect()
}

fn clients(path: Option<String>) -> Result<Option<Registry>, Box<dyn Error>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let json = fs::read_to_string(&path).map_err(|error| format!("CLIENTS: {path}: {error}"))?;
    let clients = Registry::from_json(&json);
    Ok(Some(
        clients.map_err(|error| format!("CLIENTS: {path}: {error}"))?,
    ))
}

fn access_tokens(setting: Option<&str>, jwt: bool) -> Result<AccessTokens, Box<dyn Error>> {
    match (setting, jwt) {
        (Some("jwt"), _) | (None, true) => Ok(AccessTokens::Jwt),
        (Some("opaque") | None, false) => Ok(AccessTokens::Opaque),
        (Some("opaque"), true) => Err("ACCESS_TOKENS: opaque is the opposite of --jwt".into()),
        (Some(other), _) => Err(format!("ACCESS_TOKENS: {other} is neither opaque nor jwt").into()),
    }
}
