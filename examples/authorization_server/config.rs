//! What can be set: by the environment, and a little by the command line.

use std::{
    error::Error,
    fs,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    path::Path,
};

use axum::http::{HeaderValue, Uri};
use tokio::net::TcpListener;
use tower_revocation::client::{certificate::Network, registry::Registry};

use crate::setting::Setting;

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
    pub(crate) listen: Listen,
    /// `ISSUER`: the issuer identifier, unless it follows from where the server listens.
    pub(crate) issuer: Option<String>,
    /// `TLS_LISTEN`: where to listen for TLS, which asks for client certificates, if anywhere.
    pub(crate) tls_listen: Option<Listen>,
    /// `DATA`: the file that holds the state.
    pub(crate) data: Setting,
    /// Whether the server has run before, so that the file is there.
    pub(crate) data_is_expected: bool,
    /// `KEYS`: the folder of keys and certificates, beside the data unless this is set.
    pub(crate) keys: Setting,
    /// `TRUSTED_PROXIES`: addresses and networks whose `Client-Cert` is believed (RFC 9440), and
    /// what they report of their client's address.
    pub(crate) trusted_proxies: Vec<Network>,
    /// `CORS_ORIGINS`: the origins whose apps may call across origins.
    pub(crate) cors_origins: Vec<HeaderValue>,
    /// `CLIENTS`: a JSON file of registered clients, in place of the demo's own.
    pub(crate) clients: Option<Registry>,
    /// `ACCESS_TOKENS`, or `--jwt`: what access tokens are from now on.
    pub(crate) access_tokens: AccessTokens,
}

/// Where to listen.
pub(crate) struct Listen {
    setting: Setting,
    address: SocketAddr,
}

impl Config {
    /// With `--jwt`, or without.
    pub(crate) fn from_env(jwt: bool) -> Result<Self, Box<dyn Error>> {
        let target = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/target/authorization_server.redb"
        );
        let data = Setting::read_or("DATA", target)?;
        let chosen_keys = Setting::read("KEYS")?;
        // They are made after the data, and beside it.
        let beside = Path::new(data.value()).with_extension("keys");
        let data_is_expected = chosen_keys.is_none() && beside.is_dir();
        let keys = match chosen_keys {
            Some(keys) => keys,
            None => Setting::read_or("KEYS", beside.to_string_lossy())?,
        };
        Ok(Self {
            listen: Listen::read(Setting::read_or("LISTEN", "127.0.0.1:8089")?)?,
            tls_listen: Setting::read("TLS_LISTEN")?.map(Listen::read).transpose()?,
            issuer: Setting::read("ISSUER")?.as_ref().map(issuer).transpose()?,
            data,
            data_is_expected,
            keys,
            trusted_proxies: networks(&Setting::read_or("TRUSTED_PROXIES", "")?)?,
            cors_origins: origins(&Setting::read_or("CORS_ORIGINS", "http://127.0.0.1:5173")?)?,
            clients: Setting::read("CLIENTS")?
                .as_ref()
                .map(clients)
                .transpose()?,
            access_tokens: access_tokens(Setting::read("ACCESS_TOKENS")?, jwt)?,
        })
    }
}

impl Listen {
    /// Everybody who reaches this server is signed in as `alice`, so only this machine may.
    fn read(setting: Setting) -> Result<Self, Box<dyn Error>> {
        let mut addresses = match setting.value().to_socket_addrs() {
            Ok(addresses) => addresses,
            Err(error) => return Err(setting.wrong(error)),
        };
        let address = addresses
            .next()
            .ok_or_else(|| setting.wrong("no such address"))?;
        let is_meant = Setting::read("DEMO_EXPOSE")?.is_some_and(|meant| meant.value() == "1");
        if !address.ip().is_loopback() && !is_meant {
            return Err(setting.wrong(
                "this is not a loopback address, and the server signs everybody in without a \
                 prompt; DEMO_EXPOSE=1 listens there all the same",
            ));
        }
        Ok(Self { setting, address })
    }

    pub(crate) async fn bind(&self) -> Result<TcpListener, Box<dyn Error>> {
        let bound = TcpListener::bind(self.address).await;
        bound.map_err(|error| self.setting.wrong(error))
    }
}

/// RFC 8414 §2: no query, no fragment; plain HTTP on this machine alone. A slash at the end would
/// stand twice in the endpoints.
fn issuer(setting: &Setting) -> Result<String, Box<dyn Error>> {
    let issuer = setting.value();
    let uri: Option<Uri> = issuer.parse().ok();
    let is_local = uri.as_ref().and_then(Uri::host).is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse();
        host == "localhost" || address.is_ok_and(|ip: IpAddr| ip.is_loopback())
    });
    let has_scheme = issuer.starts_with("https://") || issuer.starts_with("http://") && is_local;
    if uri.is_some() && has_scheme && !issuer.contains(['?', '#', '@']) && !issuer.ends_with('/') {
        Ok(issuer.to_owned())
    } else {
        Err(setting.wrong(
            "this is not a URL by https, or by http of this machine, without query, fragment and \
             last slash",
        ))
    }
}

/// What stands between commas.
fn list(setting: &Setting) -> impl Iterator<Item = &str> {
    let elements = setting.value().split(',').map(str::trim);
    elements.filter(|element| !element.is_empty())
}

fn networks(setting: &Setting) -> Result<Vec<Network>, Box<dyn Error>> {
    list(setting)
        .map(|network| {
            let parsed = network.parse();
            parsed.map_err(|error| setting.wrong(format!("{network}: {error}")))
        })
        .collect()
}

fn origins(setting: &Setting) -> Result<Vec<HeaderValue>, Box<dyn Error>> {
    list(setting)
        .map(|origin| {
            if !origin.contains("://") || origin.ends_with('/') {
                return Err(setting.wrong(format!("{origin}: this is not scheme://host[:port]")));
            }
            HeaderValue::from_str(origin)
                .map_err(|error| setting.wrong(format!("{origin}: {error}")))
        })
        .collect()
}

fn clients(setting: &Setting) -> Result<Registry, Box<dyn Error>> {
    let json = fs::read_to_string(setting.value()).map_err(|error| setting.wrong(error))?;
    Registry::from_json(&json).map_err(|error| setting.wrong(error))
}

fn access_tokens(setting: Option<Setting>, jwt: bool) -> Result<AccessTokens, Box<dyn Error>> {
    let Some(setting) = setting else {
        return Ok(if jwt {
            AccessTokens::Jwt
        } else {
            AccessTokens::Opaque
        });
    };
    match (setting.value(), jwt) {
        ("jwt", _) => Ok(AccessTokens::Jwt),
        ("opaque", false) => Ok(AccessTokens::Opaque),
        ("opaque", true) => Err(setting.wrong("this is the opposite of --jwt")),
        _ => Err(setting.wrong("this is neither opaque nor jwt")),
    }
}
