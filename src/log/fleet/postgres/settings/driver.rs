//! The part of the settings that the driver reads.

use tokio_postgres::Config;

use super::{
    super::super::url::{Host, Parameters, Url},
    super::fault::Fault,
};

/// The parameters that the driver reads, as libpq does, apart from those that say where the database is.
const PARAMETERS: &[&str] = &[
    "application_name",
    "connect_timeout",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "options",
    "sslnegotiation",
    "tcp_user_timeout",
];

/// Lets the driver read its part. Takes its parameters.
pub(super) fn read(url: &Url, parameters: &mut Parameters) -> Result<Config, Fault> {
    let mut words = Vec::new();
    let path = url.decoded_path()?;
    let (names, ports) = hosts(&url.hosts);
    for (name, value) in [
        ("user", url.user.clone()),
        ("password", url.password.clone()),
        ("dbname", (!path.is_empty()).then_some(path)),
        ("host", names),
        ("port", ports),
    ] {
        let parameter = parameters.take(name);
        if value.is_some() && parameter.is_some() {
            return Err(Fault::misconfigured(format!(
                "the URL of the log has `{name}` twice: remove the parameter",
            )));
        }
        words.extend(value.or(parameter).map(|value| (name, value)));
    }
    for name in PARAMETERS {
        words.extend(parameters.take(name).map(|value| (*name, value)));
    }
    let words = words.iter().map(|(name, value)| {
        let value = value.replace('\\', "\\\\").replace('\'', "\\'");
        format!("{name}='{value}' ")
    });
    let words: String = words.collect();
    words.parse().map_err(|error: tokio_postgres::Error| {
        // The source names the parameter, never a value.
        let why = std::error::Error::source(&error).map(ToString::to_string);
        let why = why.unwrap_or_default();
        Fault::misconfigured(format!("the URL of the database is not valid: {why}"))
    })
}

/// Names and ports, with commas between. A URL with only a port means the host of the environment.
fn hosts(hosts: &[Host]) -> (Option<String>, Option<String>) {
    let list = |items: Vec<String>| items.join(",");
    let names: Vec<_> = hosts.iter().map(|host| host.name.clone()).collect();
    let has_name = names.iter().any(|name| !name.is_empty());
    let has_port = hosts.iter().any(|host| host.port.is_some());
    let ports = hosts
        .iter()
        .map(|host| host.port.unwrap_or(5432).to_string());
    (
        has_name.then(|| list(names)),
        has_port.then(|| list(ports.collect())),
    )
}
