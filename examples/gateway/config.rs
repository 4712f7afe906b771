//! What can be set, all of it by the environment.

use std::{error::Error, fs, path::Path, time::Duration};

use hyper::Uri;
use tower_revocation::{
    client::registry::Registry,
    introspect::jwt::{Audience, Dialect, JwtTokens},
    jose::{Keys, RemoteKeys},
    log::EmbeddedLog,
    revoke::{ForwardRevocation, RecordRevocation},
};

use crate::{host, setting::Setting};

/// Everything that can be set.
pub(crate) struct Config {
    /// `LISTEN`: where to listen.
    pub(crate) listen: Setting,
    /// `UPSTREAM`: the base URL of the API.
    pub(crate) upstream: Uri,
    /// `ISSUER`, `JWKS`, `AUDIENCE` and `DIALECT`: which tokens are genuine.
    pub(crate) tokens: JwtTokens,
    /// `CLIENTS`: a JSON file of those who may revoke, in place of two of the demo.
    pub(crate) clients: Registry,
    /// `DATA`: the file of what was revoked.
    data: Setting,
    /// `DATA_EXPECTED`: whether the file has to be there.
    data_is_expected: bool,
    /// `REVOCATION`: the issuer's revocation endpoint, if revocations are forwarded there.
    revocation: Option<Setting>,
    roots: Option<Roots>,
}

/// `SSL_CERT_FILE`: the authorities that the issuer is trusted by, in place of the system's.
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
        let mut remote = RemoteKeys::new();
        if let Some(Roots { setting, pem }) = &roots {
            let trusting = remote.trusted_ca(pem);
            remote = trusting.map_err(|error| setting.wrong(error))?;
        }
        let tokens = JwtTokens::new(issuer, keys, Audience::any_of([audience.value()]))
            .dialect(dialect(&Setting::read_or("DIALECT", "rfc9068")?)?)
            .remote_keys(remote);
        let target = concat!(env!("CARGO_MANIFEST_DIR"), "/target/gateway.redb");
        Ok(Self {
            listen: Setting::read_or("LISTEN", "127.0.0.1:8090")?,
            upstream: upstream(&Setting::read_or("UPSTREAM", "http://127.0.0.1:8089")?)?,
            tokens,
            clients: clients(Setting::read("CLIENTS")?)?,
            data: Setting::read_or("DATA", target)?,
            data_is_expected: is_yes(&Setting::read_or("DATA_EXPECTED", "0")?)?,
            revocation: Setting::read("REVOCATION")?,
            roots,
        })
    }

    /// The log in the file. What has expired is forgotten by itself.
    pub(crate) fn open_log(&self) -> Result<EmbeddedLog, Box<dyn Error>> {
        let data = &self.data;
        let path = Path::new(data.value());
        // Beside the file, once it has been made: a file that is lost must not become an empty one,
        // or what was revoked would be live.
        let made = path.with_extension("made");
        let opened = if self.data_is_expected || made.exists() {
            EmbeddedLog::open_existing(path)
        } else {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)
                    .map_err(|error| data.wrong(format!("making {}: {error}", folder.display())))?;
            }
            EmbeddedLog::open(path)
        };
        let log = opened.map_err(|error| data.wrong(error))?;
        fs::write(&made, "").map_err(|error| data.wrong(format!("{}: {error}", made.display())))?;
        Ok(log.sweep_every(Duration::from_secs(60)))
    }

    /// The backend that forwards revocations to the issuer, if one is named.
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

/// At `JWKS`, or where the demo's server has them.
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

fn upstream(setting: &Setting) -> Result<Uri, Box<dyn Error>> {
    let uri: Uri = setting
        .value()
        .parse()
        .map_err(|error| setting.wrong(format!("this is no URL: {error}")))?;
    let authority = uri
        .authority()
        .ok_or_else(|| setting.wrong("there is no host"))?;
    if uri.scheme_str() != Some("http") {
        return Err(setting.wrong("this is no http URL"));
    }
    if !host::is_plain(authority) {
        return Err(setting.wrong("there is more or less than a host and a port"));
    }
    // The parser drops a fragment.
    if uri.query().is_some() || setting.value().contains('#') {
        return Err(setting.wrong("a base URL has no query or fragment"));
    }
    Ok(uri)
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
        _ => return Err(setting.wrong("this is none of the dialects in the README")),
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
        _ => Err(setting.wrong("this is neither 1 nor 0")),
    }
}

/// Those of the demo to whom its server issues tokens for a secret.
const DEMO_CLIENTS: &str = r#"[
    { "client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV" },
    { "client_id": "c2", "client_secret": "s3cr3t-two" }
]"#;
