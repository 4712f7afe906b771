//! Where the servers are, who asks, and what is expected of them: a URL.

mod assumed;
mod host;
#[cfg(test)]
mod tests;

use std::fs;

pub(super) use self::{assumed::Assumed, host::Host};
use super::{
    super::url::{self, PASSWORD_FILE, Url},
    fault::Fault,
};
use crate::{log::FleetAssumption, tls::Files};

/// How the primary is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Topology {
    /// It is the only host.
    Single,
    /// The hosts are sentinels, which know it by this name.
    Sentinel(String),
    /// The hosts are some servers of a cluster.
    Cluster,
}

/// Where the password is.
#[derive(Clone)]
enum Password {
    Given(String),
    /// Read again for each connection.
    File(String),
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) topology: Topology,
    pub(super) hosts: Vec<Host>,
    pub(super) user: Option<String>,
    password: Option<Password>,
    pub(super) database: u32,
    /// TLS also on this machine.
    encrypted: bool,
    pub(super) files: Files,
    /// How many replicas must have a record.
    pub(super) replicas: u32,
    /// Whether a crash may lose records.
    pub(super) volatile: bool,
    pub(super) assumed: Assumed,
}

/// Looks up a variable.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A quorum of more replicas would be a mistake.
const MOST_REPLICAS: u32 = 16;

impl Settings {
    pub(super) fn read(url: &Url, environment: Environment<'_>) -> Result<Self, Fault> {
        let mut parameters = url.parameters.clone();
        let (encrypted, sort) = match &*url.scheme {
            "redis" | "valkey" => (false, Sort::Single),
            "rediss" | "valkeys" => (true, Sort::Single),
            "redis+sentinel" | "valkey+sentinel" => (false, Sort::Sentinel),
            "redis+cluster" | "valkey+cluster" => (false, Sort::Cluster),
            _ => return Err(wrong("the URL of the log must begin with `redis://`")),
        };
        let hosts = hosts(url, sort)?;
        let path = url.decoded_path()?;
        let (topology, database) = match sort {
            Sort::Single => (Topology::Single, number(&path)?),
            Sort::Sentinel if path.is_empty() => {
                return Err(wrong(
                    "the URL lacks the name of the primary: write `redis+sentinel://HOST,HOST/NAME`",
                ));
            }
            Sort::Sentinel => {
                let database = number(&parameters.take("db").unwrap_or_default())?;
                (Topology::Sentinel(path), database)
            }
            Sort::Cluster if number(&path)? > 0 => {
                return Err(wrong(
                    "a cluster has no databases: remove the number from the URL",
                ));
            }
            Sort::Cluster => (Topology::Cluster, 0),
        };
        if topology == Topology::Single && hosts.len() > 1 {
            return Err(wrong(
                "a URL with several hosts must begin with `redis+sentinel://` or `redis+cluster://`",
            ));
        }
        let encrypted = match parameters.take("tls").as_deref() {
            None => encrypted,
            Some("on") => true,
            Some(_) => {
                return Err(wrong(
                    "`tls` must be `on`: it is on for other machines anyway",
                ));
            }
        };
        let password = url.password.clone().filter(|password| !password.is_empty());
        let settings = Self {
            replicas: replicas(parameters.take("replicas").as_deref(), &topology)?,
            topology,
            hosts,
            password: match (password, environment(PASSWORD_FILE)) {
                (Some(password), _) => Some(Password::Given(password)),
                (None, file) => file.map(Password::File),
            },
            user: url.user.clone(),
            database,
            encrypted,
            files: url::files(&mut parameters, &|_| None)?,
            volatile: volatile(parameters.take("durability").as_deref())?,
            assumed: Assumed::read(&parameters.take("assume").unwrap_or_default())?,
        };
        parameters.end()?;
        settings.refuse(sort, &url.scheme)?;
        Ok(settings)
    }

    fn refuse(&self, sort: Sort, scheme: &str) -> Result<(), Fault> {
        if self.assumed.has(FleetAssumption::NoFailover) && self.topology != Topology::Single {
            return Err(wrong(
                "`assume=no-failover` is refused with sentinels and clusters, which fail over: remove \
                 it",
            ));
        }
        if self.user.is_some() && self.password.is_none() {
            return Err(wrong(format!(
                "the URL has a user without a password: set {PASSWORD_FILE}"
            )));
        }
        let remote = self.hosts.iter().find(|host| !host.is_local());
        if let (Sort::Single, false, Some(host)) = (sort, self.encrypted, remote) {
            return Err(wrong(format!(
                "`{scheme}://` is refused for {host}: only connections on this machine may lack \
                 TLS; write `{scheme}s://`",
            )));
        }
        Ok(())
    }

    /// Whether connections to a host use TLS: always off this machine.
    pub(super) fn needs_tls(&self, host: &Host) -> bool {
        self.encrypted || !host.is_local()
    }

    /// Returns the password as it is now. Reads a file.
    pub(super) fn password(&self) -> Result<Option<String>, Fault> {
        match &self.password {
            None => Ok(None),
            Some(Password::Given(password)) => Ok(Some(password.clone())),
            Some(Password::File(file)) => {
                let read = fs::read_to_string(file);
                let mut password = read.map_err(|error| {
                    wrong(format!("{PASSWORD_FILE} {file} cannot be read: {error}"))
                })?;
                password.truncate(password.trim_end_matches(['\r', '\n']).len());
                Ok(Some(password))
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Sort {
    Single,
    Sentinel,
    Cluster,
}

impl Sort {
    fn port(self) -> u16 {
        match self {
            Self::Single | Self::Cluster => 6379,
            Self::Sentinel => 26379,
        }
    }
}

fn hosts(url: &Url, sort: Sort) -> Result<Vec<Host>, Fault> {
    let hosts = url.hosts.iter().map(|host| Host {
        name: host.name.clone(),
        port: host.port.unwrap_or(sort.port()),
    });
    let hosts: Vec<_> = hosts.collect();
    let is_name = |host: &Host| !host.name.is_empty() && !host.name.starts_with('/');
    if hosts.is_empty() || !hosts.iter().all(is_name) {
        return Err(wrong("the URL lacks a host: write `redis://HOST`"));
    }
    Ok(hosts)
}

fn number(text: &str) -> Result<u32, Fault> {
    let number = if text.is_empty() { Ok(0) } else { text.parse() };
    number.map_err(|_| wrong("the database in the URL must be a number"))
}

fn volatile(durability: Option<&str>) -> Result<bool, Fault> {
    match durability {
        None | Some("disk") => Ok(false),
        Some("volatile") => Ok(true),
        Some("replicated") => Err(wrong(
            "a failover of Redis can lose what replicas have: `durability` must be `disk` or \
             `volatile`",
        )),
        Some(_) => Err(wrong("`durability` must be `disk` or `volatile`")),
    }
}

fn replicas(given: Option<&str>, topology: &Topology) -> Result<u32, Fault> {
    let replicas = match given {
        None => Some(0),
        Some(given) => given.parse().ok().filter(|given| *given <= MOST_REPLICAS),
    };
    match replicas {
        None => Err(wrong(format!(
            "`replicas` must be a number up to {MOST_REPLICAS}"
        ))),
        Some(0) if *topology != Topology::Single => Err(wrong(
            "a failover can lose records that no replica has: add `replicas=1`, or more, to the URL",
        )),
        Some(replicas) => Ok(replicas),
    }
}

fn wrong(line: impl Into<String>) -> Fault {
    Fault::misconfigured(line)
}
