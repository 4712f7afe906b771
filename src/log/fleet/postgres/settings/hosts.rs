//! The hosts of a URL, or else of the environment.

use std::{net::IpAddr, path::Path};

use tokio_postgres::{Config, config::Host as Name};

use super::{
    super::{
        super::url::{self, is_local},
        fault::Fault,
    },
    Environment,
};

/// Where Debian and others put the socket.
const SOCKETS: &str = "/var/run/postgresql";

pub(super) struct Host {
    name: String,
    /// To connect to, in place of what the name resolves to.
    address: Option<IpAddr>,
    pub(super) port: u16,
}

impl Host {
    /// Reads `HOST` or `HOST:PORT`.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let host = url::host(text)?;
        Ok(Self {
            name: host.name,
            address: None,
            port: host.port.unwrap_or(5432),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn place(&self) -> String {
        let Self { name, port, .. } = self;
        format!("{name}:{port}")
    }

    /// Whether the connection does not leave this machine.
    pub(super) fn is_local(&self) -> bool {
        let address = self.address.or_else(|| self.name.parse().ok());
        match address {
            Some(address) => address.is_loopback(),
            None => is_local(&self.name) || self.is_socket(),
        }
    }

    pub(super) fn is_socket(&self) -> bool {
        self.address.is_none() && self.name.starts_with('/')
    }

    pub(super) fn apply(&self, config: &mut Config) {
        config.host(&*self.name).port(self.port);
        if let Some(address) = self.address {
            config.hostaddr(address);
        }
    }
}

/// Returns the hosts in the order in which they are tried.
pub(super) fn all(given: &Config, environment: Environment<'_>) -> Result<Vec<Host>, Fault> {
    let mut names: Vec<String> = given.get_hosts().iter().filter_map(name).collect();
    let mut addresses = given.get_hostaddrs().to_vec();
    if names.is_empty() && addresses.is_empty() {
        names = list(environment("PGHOST"));
        for address in list(environment("PGHOSTADDR")) {
            addresses.push(
                address
                    .parse()
                    .map_err(|_| Fault::misconfigured("PGHOSTADDR must be a numeric address"))?,
            );
        }
    }
    if names.is_empty() {
        names = addresses.iter().map(ToString::to_string).collect();
    }
    if names.is_empty() {
        let socket = Path::new(SOCKETS).exists();
        names.push(if socket { SOCKETS } else { "localhost" }.to_owned());
    }
    if !addresses.is_empty() && addresses.len() != names.len() {
        return Err(Fault::misconfigured(
            "`hostaddr` must have an address for each host",
        ));
    }
    let mut ports = given.get_ports().to_vec();
    if ports.is_empty() {
        for port in list(environment("PGPORT")) {
            ports.push(
                port.parse()
                    .map_err(|_| Fault::misconfigured("PGPORT must be a number"))?,
            );
        }
    }
    if ports.len() > 1 && ports.len() != names.len() {
        return Err(Fault::misconfigured(
            "`port` must be one number, or one for each host",
        ));
    }
    let port = |place: usize| ports.get(place).or(ports.first()).copied();
    let hosts = names.into_iter().enumerate().map(|(place, name)| Host {
        name,
        address: addresses.get(place).copied(),
        port: port(place).unwrap_or(5432),
    });
    Ok(hosts.collect())
}

fn name(host: &Name) -> Option<String> {
    let name = match host {
        Name::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Name::Unix(folder) => folder.to_str()?.to_owned(),
    };
    (!name.is_empty()).then_some(name)
}

fn list(variable: Option<String>) -> Vec<String> {
    let variable = variable.unwrap_or_default();
    let items = variable.split(',').filter(|item| !item.is_empty());
    items.map(str::to_owned).collect()
}
