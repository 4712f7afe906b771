//! What the environment says.

use std::{
    env,
    error::Error,
    fs,
    net::{SocketAddr, ToSocketAddrs as _},
    path::PathBuf,
};

use axum::http::HeaderValue;
use tower_revocation::client::registry::Registry;

/// Everything that can be set.
pub(crate) struct Config {
    /// `LISTEN`: where to listen.
    pub(crate) listen: SocketAddr,
    /// `ISSUER`: the issuer identifier, unless it follows from where the server listens.
    pub(crate) issuer: Option<String>,
    /// `DATA`: the file that holds the state.
    pub(crate) data: PathBuf,
    /// `CORS_ORIGINS`: the origins whose apps may call across origins.
    pub(crate) cors_origins: Vec<HeaderValue>,
    /// `CLIENTS`: a JSON file of registered clients.
    pub(crate) clients: Registry,
}

impl Config {
    pub(crate) fn from_env() -> Result<Self, Box<dyn Error>> {
        let listen = var("LISTEN")?.unwrap_or_else(|| "127.0.0.1:8089".into());
        let cors_origins = var("CORS_ORIGINS")?.unwrap_or_else(|| "http://127.0.0.1:5173".into());
        let target = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/target/authorization_server.redb"
        );
        Ok(Self {
            listen: address(&listen)?,
            issuer: var("ISSUER")?.map(issuer).transpose()?,
            data: var("DATA")?.map_or_else(|| target.into(), PathBuf::from),
            cors_origins: origins(&cors_origins)?,
            clients: clients(var("CLIENTS")?)?,
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
fn address(listen: &str) -> Result<SocketAddr, Box<dyn Error>> {
    let mut addresses = listen
        .to_socket_addrs()
        .map_err(|error| format!("LISTEN: {error}"))?;
    let address = addresses.next().ok_or("LISTEN: no such address")?;
    if !address.ip().is_loopback() && var("DEMO_EXPOSE")?.as_deref() != Some("1") {
        return Err(format!(
            "LISTEN: {address} is not a loopback address, and this server signs everybody in \
             without a prompt. DEMO_EXPOSE=1 listens there all the same."
        )
        .into());
    }
    Ok(address)
}

/// RFC 8414 §2: no query, no fragment. A slash at the end would stand twice in the endpoints.
fn issuer(issuer: String) -> Result<String, Box<dyn Error>> {
    let has_scheme = issuer.starts_with("https://") || issuer.starts_with("http://");
    if has_scheme && !issuer.contains(['?', '#']) && !issuer.ends_with('/') {
        Ok(issuer)
    } else {
        Err(format!("ISSUER: {issuer} is not a URL without query, fragment and last slash").into())
    }
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

fn clients(path: Option<String>) -> Result<Registry, Box<dyn Error>> {
    let Some(path) = path else {
        return Ok(Registry::from_json(include_str!("clients.json"))?);
    };
    let json = fs::read_to_string(&path).map_err(|error| format!("CLIENTS: {path}: {error}"))?;
    Registry::from_json(&json).map_err(|error| format!("CLIENTS: {path}: {error}").into())
}
