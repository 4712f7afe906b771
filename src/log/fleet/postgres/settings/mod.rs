//! Where the database is and who asks: a URL, completed by the environment as libpq does it.

mod driver;
mod hosts;
mod password;

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio_postgres::{Config, config::SslMode};

use self::{hosts::Host, password::Login};
use super::{
    super::url::{self, Url},
    fault::Fault,
};
use crate::tls::Files;

/// How long one address may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Looks up a variable.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One server that may be the primary.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) config: Config,
    /// Host and port, for messages.
    pub(super) place: String,
}

/// The settings of all connections.
pub(super) struct Settings {
    pub(super) servers: Vec<Server>,
    /// The server from which the whole log is read.
    pub(super) replica: Option<Server>,
    pub(super) role: String,
    pub(super) database: String,
    /// What TLS needs. `None` if every server is on this machine.
    pub(super) tls: Option<Files>,
    /// Whether commits have to wait for a standby.
    pub(super) replicated: bool,
}

impl Settings {
    /// Reads a URL and the environment. A connection that gets no answer ends after `timeout`.
    pub(super) fn read(
        url: &Url,
        environment: Environment<'_>,
        timeout: Duration,
    ) -> Result<Self, Fault> {
        let mut parameters = url.parameters.clone();
        let given = driver::read(url, &mut parameters)?;
        let mut ours = |name: &str, variable: &str| {
            let ours = parameters.take(name);
            ours.or_else(|| environment(variable))
        };
        let mode = ours("sslmode", "PGSSLMODE");
        let passfile = ours("passfile", "PGPASSFILE");
        let [binding, attributes] = [
            ours("channel_binding", "PGCHANNELBINDING"),
            ours("target_session_attrs", "PGTARGETSESSIONATTRS"),
        ];
        refuse(binding.as_deref(), attributes.as_deref(), environment)?;
        let variable = |name: &str| environment(&format!("PG{}", name.to_uppercase()));
        let files = url::files(&mut parameters, &variable)?;
        let replicated = replicated(parameters.take("durability").as_deref())?;
        let replica = parameters.take("snapshot_from");
        let replica = replica.map(|host| Host::parse(&host)).transpose()?;
        parameters.end()?;
        let role = match given.get_user() {
            Some(role) if !role.is_empty() => role.to_owned(),
            _ => environment("PGUSER")
                .or_else(|| environment("USER"))
                .ok_or_else(|| {
                    Fault::misconfigured("no role is given: write `postgres://ROLE@HOST/DATABASE`")
                })?,
        };
        let database = given.get_dbname().map(str::to_owned);
        let database = database
            .or_else(|| environment("PGDATABASE"))
            .unwrap_or_else(|| role.clone());
        let mut encrypted = false;
        let mut server = |host: &Host| -> Result<Server, Fault> {
            let mut config = common(&given, environment, timeout);
            config.user(&*role).dbname(&*database);
            host.apply(&mut config);
            let tls = needs_tls(host, mode.as_deref())?;
            encrypted |= tls;
            config.ssl_mode(if tls {
                SslMode::Require
            } else {
                SslMode::Disable
            });
            let login = Login {
                host: host.name(),
                port: host.port,
                database: &database,
                role: &role,
            };
            let password = match given.get_password() {
                Some(password) => Some(password.to_vec()),
                None => password::find(passfile.as_deref(), environment, &login)?
                    .map(String::into_bytes),
            };
            if let Some(password) = password {
                config.password(password);
            }
            Ok(Server {
                config,
                place: host.place(),
            })
        };
        let mut servers = Vec::new();
        for host in hosts::all(&given, environment)? {
            servers.push(server(&host)?);
        }
        let replica = replica.as_ref().map(&mut server).transpose()?;
        Ok(Self {
            servers,
            replica,
            role,
            database,
            tls: encrypted.then_some(files),
            replicated,
        })
    }
}

/// Refuses what is not supported and would be missed.
fn refuse(
    binding: Option<&str>,
    attributes: Option<&str>,
    environment: Environment<'_>,
) -> Result<(), Fault> {
    let line = if environment("PGSERVICE").is_some() {
        "PGSERVICE is not supported: write host, database and role into the URL"
    } else if binding == Some("require") {
        "`channel_binding=require` is not supported: remove it; certificates are always verified"
    } else if !matches!(attributes, None | Some("any" | "read-write" | "primary")) {
        "`target_session_attrs` must be `primary`: a standby cannot append"
    } else {
        return Ok(());
    };
    Err(Fault::misconfigured(line))
}

fn replicated(durability: Option<&str>) -> Result<bool, Fault> {
    match durability {
        None | Some("disk") => Ok(false),
        Some("replicated") => Ok(true),
        Some(_) => Err(Fault::misconfigured(
            "`durability` must be `disk` or `replicated` with PostgreSQL",
        )),
    }
}

fn needs_tls(host: &Host, mode: Option<&str>) -> Result<bool, Fault> {
    match mode {
        Some("disable") if !host.is_local() => Err(Fault::misconfigured(format!(
            "`sslmode=disable` is refused for {}: only connections on this machine may lack TLS",
            host.place(),
        ))),
        None | Some("disable" | "allow" | "prefer") => Ok(!host.is_local()),
        // As in libpq: a socket has no TLS.
        Some("require" | "verify-ca" | "verify-full") => Ok(!host.is_socket()),
        Some(_) => Err(Fault::misconfigured(
            "`sslmode` must be `disable`, `prefer`, `require`, `verify-ca` or `verify-full`",
        )),
    }
}

/// What is the same for every host.
fn common(given: &Config, environment: Environment<'_>, timeout: Duration) -> Config {
    let mut config = Config::new();
    let name = given.get_application_name().map(str::to_owned);
    let name = name.or_else(|| environment("PGAPPNAME"));
    config.application_name(name.unwrap_or_else(|| "tower-revocation".to_owned()));
    if let Some(options) = given
        .get_options()
        .map(str::to_owned)
        .or_else(|| environment("PGOPTIONS"))
    {
        config.options(options);
    }
    config.ssl_negotiation(given.get_ssl_negotiation());
    config.connect_timeout(given.get_connect_timeout().copied().unwrap_or(CONNECT));
    config.tcp_user_timeout(given.get_tcp_user_timeout().copied().unwrap_or(timeout));
    config.keepalives(given.get_keepalives());
    // The driver's default is two hours, which nobody asks for.
    config.keepalives_idle(given.get_keepalives_idle().min(Duration::from_secs(10)));
    config.keepalives_interval(
        given
            .get_keepalives_interval()
            .unwrap_or(Duration::from_secs(2)),
    );
    config.keepalives_retries(given.get_keepalives_retries().unwrap_or(3));
    config
}
