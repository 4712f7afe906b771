//! The configuration, from the environment.

use std::{error::Error, fs, path::Path, time::Duration};

use tower::util::Either;
use tower_revocation::{
    client::registry::Registry,
    introspect::jwt::{Audience, Dialect, JwtTokens},
    jose::{Keys, RemoteKeys},
    log::{EmbeddedLog, LogErrorKind},
    proxy::Upstream,
    revoke::{ForwardRevocation, RecordRevocation},
};

use crate::{
    listen::Listen,
    setting::Setting,
    store::{self, Store},
};

pub(crate) struct Config {
    /// `LISTEN`: the address to listen on.
    pub(crate) listen: Listen,
    /// `UPSTREAM`: the base URL of the API.
    pub(crate) upstream: Upstream,
    /// `ISSUER`, `JWKS`, `AUDIENCE` and `DIALECT`: the tokens that are genuine.
    pub(crate) tokens: JwtTokens,
    /// `CLIENTS`: a JSON file of the clients that may revoke. Defaults to two clients of the demo.
    pub(crate) clients: Registry,
    /// `LOG`: the URL of a server for the revocations, which several gateways share.
    log: Option<Setting>,
    /// `DATA`: the file of revocations, if there is no `LOG`.
    data: Setting,
    /// `DATA_EXPECTED`: whether the file must exist.
    data_is_expected: bool,
    /// `REVOCATION`: the issuer's revocation endpoint, to forward revocations to.
    revocation: Option<Setting>,
    roots: Option<Roots>,
}

/// `SSL_CERT_FILE`: the authorities to trust for the issuer's certificate. Defaults to those of the
/// system.
struct Roots {
    setting: Setting,
    pem: Vec<u8>,
}

impl Config {
    pub(crate) fn from_env() -> Result<Self, Box<dyn Error>> {
        let issuer = Setting::read_or("ISSUER", "https://localhost:8443")?;
        let keys = keys(&issuer)?;
        let issuer = issuer.value();
        let audience = Setting::read_or("AUDIENCE", format!("{issuer}/api"))?;
        let roots = Setting::read("SSL_CERT_FILE")?.map(roots).transpose()?;
        let mut remote = RemoteKeys::builder();
        if let Some(Roots { setting, pem }) = &roots {
            let trusting = remote.trusted_ca(pem);
            remote = trusting.map_err(|error| setting.wrong(error))?;
        }
        let tokens = JwtTokens::new(issuer, keys, Audience::any_of([audience.value()]))
            .dialect(dialect(&Setting::read_or("DIALECT", "rfc9068")?)?)
            .remote_keys(remote.build());
        let target = concat!(env!("CARGO_MANIFEST_DIR"), "/target/gateway.redb");
        Ok(Self {
            listen: Listen::read(Setting::read_or("LISTEN", "127.0.0.1:8090")?)?,
            upstream: upstream(&Setting::read_or("UPSTREAM", "http://127.0.0.1:8089")?)?,
            tokens,
            clients: clients(Setting::read("CLIENTS")?)?,
            log: store::setting()?,
            data: Setting::read_or("DATA", target)?,
            data_is_expected: is_yes(&Setting::read_or("DATA_EXPECTED", "0")?)?,
            revocation: Setting::read("REVOCATION")?,
            roots,
        })
    }

    /// Opens the log of revocations.
    pub(crate) async fn open_log(&self) -> Result<Store, Box<dyn Error>> {
        Ok(match &self.log {
            Some(log) => Either::Right(store::connect(log).await?),
            None => Either::Left(self.open_file()?),
        })
    }

    /// Opens the file, and sweeps expired revocations every minute.
    fn open_file(&self) -> Result<EmbeddedLog, Box<dyn Error>> {
        let data = &self.data;
        let path = Path::new(data.value());
        // A marker beside the file says that the file has existed. After a loss of the file, a new
        // one would make revoked tokens live again.
        let marker = path.with_extension("made");
        let opened = if self.data_is_expected || marker.exists() {
            EmbeddedLog::open_existing(path)
        } else {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|error| {
                    data.wrong(format!("creating {}: {error}", folder.display()))
                })?;
            }
            EmbeddedLog::open(path)
        };
        let log = opened.map_err(|error| {
            if error.kind() != LogErrorKind::Missing {
                return data.wrong(error);
            }
            let step = if self.data_is_expected {
                "set DATA_EXPECTED=0".to_owned()
            } else {
                format!("remove {}", marker.display())
            };
            data.wrong(format!("{error}; to begin again without it, {step}"))
        })?;
        fs::write(&marker, "")
            .map_err(|error| data.wrong(format!("{}: {error}", marker.display())))?;
        Ok(log.sweep_every(Duration::from_secs(60)))
    }

    /// Whether the log can only be read: a feed of the issuer.
    pub(crate) fn log_is_a_feed(&self) -> bool {
        let scheme = self
            .log
            .as_ref()
            .and_then(|log| log.value().split(':').next());
        scheme.is_some_and(|scheme| scheme == "http" || scheme == "https")
    }

    /// The backend that forwards revocations to the issuer, if `REVOCATION` is set.
    pub(crate) fn forward<I, L>(
        &self,
        record: RecordRevocation<I, L>,
    ) -> Result<Option<ForwardRevocation<I, L>>, Box<dyn Error>> {
        let Some(endpoint) = &self.revocation else {
            return Ok(None);
        };
        let forward = ForwardRevocation::new(endpoint.value(), record);
        let mut forward = forward.map_err(|error| endpoint.wrong(error))?;
        if let Some(Roots { setting, pem }) = &self.roots {
            let trusting = forward.trusted_ca(pem);
            forward = trusting.map_err(|error| setting.wrong(error))?;
        }
        Ok(Some(forward))
    }
}

/// The keys at `JWKS`. By default, at the path that the demo server has.
fn keys(issuer: &Setting) -> Result<Keys, Box<dyn Error>> {
    match Setting::read("JWKS")? {
        Some(jwks) => Keys::from_uri(jwks.value()).map_err(|error| jwks.wrong(error)),
        None => Keys::from_uri(&format!("{}/oauth2/jwks", issuer.value()))
            .map_err(|error| issuer.wrong(error)),
    }
}

fn roots(setting: Setting) -> Result<Roots, Box<dyn Error>> {
    match fs::read(setting.value()) {
        Ok(pem) => Ok(Roots { setting, pem }),
        Err(error) => Err(setting.wrong(error)),
    }
}

fn upstream(setting: &Setting) -> Result<Upstream, Box<dyn Error>> {
    let upstream = Upstream::new(setting.value()).map_err(|error| setting.wrong(error))?;
    if !setting.value().starts_with("http://") {
        return Err(setting.wrong("expected an http URL"));
    }
    Ok(upstream)
}

fn dialect(setting: &Setting) -> Result<Dialect, Box<dyn Error>> {
    Ok(match setting.value() {
        "rfc9068" => Dialect::rfc9068(),
        "keycloak" => Dialect::keycloak(),
        "auth0" => Dialect::auth0(),
        "cognito" => Dialect::cognito(),
        "okta" => Dialect::okta(),
        "wso2" => Dialect::wso2(),
        "entra" => Dialect::entra(),
        _ => {
            return Err(
                setting.wrong("expected rfc9068, keycloak, auth0, cognito, okta, wso2 or entra")
            );
        }
    })
}

fn clients(setting: Option<Setting>) -> Result<Registry, Box<dyn Error>> {
    let Some(setting) = setting else {
        return Ok(Registry::from_json(DEMO_CLIENTS)?);
    };
    let json = fs::read_to_string(setting.value()).map_err(|error| setting.wrong(error))?;
    Registry::from_json(&json).map_err(|error| setting.wrong(error))
}

fn is_yes(setting: &Setting) -> Result<bool, Box<dyn Error>> {
    match setting.value() {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err(setting.wrong("expected 1 or 0")),
    }
}

/// The two clients of the demo with a secret for Basic.
const DEMO_CLIENTS: &str = r#"[
    { "client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV" },
    { "client_id": "c2", "client_secret": "s3cr3t-two" }
]"#;
