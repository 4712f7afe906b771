//! The configuration, from the environment and from the command line.

use std::{error::Error, fs, net::IpAddr, path::Path, time::Duration};

use axum::http::{HeaderValue, Uri};
use tower::util::Either;
use tower_revocation::{
    client::{Network, registry::Registry},
    log::{EmbeddedLog, FeedService, LogError, LogErrorKind},
};

use crate::{
    listen::Listen,
    setting::Setting,
    store::{self, Store},
};

/// The format of access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessTokens {
    /// Random. The server stores a hash of each.
    Opaque,
    /// Signed JWTs (RFC 9068).
    Jwt,
}

pub(crate) struct Config {
    /// `LISTEN`: the address to listen on.
    pub(crate) listen: Listen,
    /// `ISSUER`: the issuer identifier. Defaults to a URL of `LISTEN`.
    pub(crate) issuer: Option<String>,
    /// `TLS_LISTEN`: the address to listen on with TLS. There the server asks for client
    /// certificates.
    pub(crate) tls_listen: Option<Listen>,
    /// `LOG`: the URL of a database that holds the state, which several servers share.
    log: Option<Setting>,
    /// `DATA`: the file that holds the state, if there is no `LOG`.
    data: Setting,
    /// Whether the server has run before. Then the file must exist.
    data_is_expected: bool,
    /// `FEED_TOKENS`: a file with the tokens of those that may follow the log at `/feed`.
    feed_tokens: Option<Setting>,
    /// `KEYS`: the folder of keys and certificates. Defaults to a folder beside the data.
    pub(crate) keys: Setting,
    /// `TRUSTED_PROXIES`: addresses and networks. The server believes their `Client-Cert` (RFC
    /// 9440), and what they report about the address of their client.
    pub(crate) trusted_proxies: Vec<Network>,
    /// `CORS_ORIGINS`: the origins whose apps may call across origins.
    pub(crate) cors_origins: Vec<HeaderValue>,
    /// `CLIENTS`: a JSON file of registered clients. Defaults to the clients of the demo.
    pub(crate) clients: Option<Registry>,
    /// `ACCESS_TOKENS` or `--jwt`: the format of new access tokens.
    pub(crate) access_tokens: AccessTokens,
}

impl Config {
    /// Reads the environment. `jwt`: whether the command line has `--jwt`.
    pub(crate) fn from_env(jwt: bool) -> Result<Self, Box<dyn Error>> {
        let target = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/target/authorization_server.redb"
        );
        let log = store::setting()?;
        let data = Setting::read("DATA")?;
        if log.is_some() && data.is_some() {
            return Err("LOG and DATA are both set: the state is in one of them".into());
        }
        let data = data.map_or_else(|| Setting::read_or("DATA", target), Ok)?;
        let chosen_keys = Setting::read("KEYS")?;
        // The server creates the keys after the data, and beside it.
        let beside = Path::new(data.value()).with_extension("keys");
        let data_is_expected = chosen_keys.is_none() && beside.is_dir();
        let keys = match chosen_keys {
            Some(keys) => keys,
            None => Setting::read_or("KEYS", beside.to_string_lossy())?,
        };
        Ok(Self {
            listen: listen(Setting::read_or("LISTEN", "127.0.0.1:8089")?)?,
            tls_listen: Setting::read("TLS_LISTEN")?.map(listen).transpose()?,
            issuer: Setting::read("ISSUER")?.as_ref().map(issuer).transpose()?,
            log,
            data,
            data_is_expected,
            feed_tokens: Setting::read("FEED_TOKENS")?,
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

    /// Opens the file or the database. It holds the log of revocations, the issued tokens and the used
    /// assertions. Sweeps expired revocations in a file; a shared log does so itself.
    pub(crate) async fn open_store(&self, sweep: Duration) -> Result<Store, Box<dyn Error>> {
        Ok(match &self.log {
            Some(log) => Either::Right(store::connect(log).await?),
            None => Either::Left(self.open_file()?.sweep_every(sweep)),
        })
    }

    /// Serves the log to gateways, if `FEED_TOKENS` is set.
    pub(crate) fn feed(&self, log: &Store) -> Result<Option<FeedService>, Box<dyn Error>> {
        let Some(tokens) = &self.feed_tokens else {
            return Ok(None);
        };
        let feed = FeedService::with_token_file(log, tokens.value());
        feed.map(Some).map_err(|error| tokens.wrong(error))
    }

    /// An error of the store.
    pub(crate) fn wrong_store(&self, error: LogError) -> Box<dyn Error> {
        match &self.log {
            Some(_) => store::wrong(&error),
            None => self.data.wrong(error),
        }
    }

    fn open_file(&self) -> Result<EmbeddedLog, Box<dyn Error>> {
        let data = &self.data;
        let path = Path::new(data.value());
        // After a loss of the file, a new one would make revoked tokens live again.
        if self.data_is_expected {
            return EmbeddedLog::open_existing(path).map_err(|error| {
                if error.kind() != LogErrorKind::Missing {
                    return data.wrong(error);
                }
                data.wrong(format!(
                    "{error}; to begin again without it, remove {}",
                    self.keys.value()
                ))
            });
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| data.wrong(format!("creating {}: {error}", folder.display())))?;
        }
        EmbeddedLog::open(path).map_err(|error| data.wrong(error))
    }
}

/// The server signs in everybody as `alice`, so by default only this machine may reach it.
fn listen(setting: Setting) -> Result<Listen, Box<dyn Error>> {
    let listen = Listen::read(setting)?;
    let is_exposed = Setting::read("DEMO_EXPOSE")?.is_some_and(|value| value.value() == "1");
    if listen.address.ip().is_loopback() || is_exposed {
        return Ok(listen);
    }
    Err(listen.setting.wrong(
        "this is not a loopback address, and the server signs everybody in without a prompt; to \
         listen there, set DEMO_EXPOSE=1",
    ))
}

/// RFC 8414 §2: no query, no fragment; plain HTTP only on this machine. A slash at the end would
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
            "expected an https URL, or an http URL of this machine, without query, fragment, \
             userinfo and trailing slash",
        ))
    }
}

/// The elements of a comma-separated list.
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
                return Err(setting.wrong(format!("{origin}: expected scheme://host[:port]")));
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
        ("opaque", true) => Err(setting.wrong("this contradicts --jwt")),
        _ => Err(setting.wrong("expected opaque or jwt")),
    }
}
