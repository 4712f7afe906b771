//! The configuration: a file, then the environment, then flags.
//!
//! This module reads one text and the settings over it, and checks what can be checked without
//! opening anything else. It depends on nothing else in the program, so that a fuzz target can
//! include it.

mod admin;
mod document;
mod duration;
mod feed;
mod gateway;
mod identity;
mod issuer;
mod limits;
mod links;
mod listen;
mod log;
mod logging;
mod origin;
mod overrides;
mod path;
mod problem;
mod revoke;
mod route;
mod run;
mod url;
mod verify;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use ::toml::de::DeTable;
use document::Document;
pub(crate) use {
    admin::Admin,
    feed::Feed,
    gateway::{Authorization, Gateway, Preflight},
    identity::Identity,
    issuer::{Dialect, Introspection, Issuer, IssuerKeys, Method},
    limits::Limits,
    links::Links,
    listen::Listen,
    log::{Location, Log},
    logging::{Format, Logging},
    origin::Origins,
    overrides::{Override, from_environment, from_flag},
    problem::{Problem, one_line},
    revoke::{Mode, Revoke},
    route::{Route, Upgrade},
    run::Run,
    verify::Verify,
};

/// A configuration without contradictions. The files that it names may still be wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    pub(crate) run: Run,
    pub(crate) logging: Logging,
    pub(crate) limits: Limits,
    pub(crate) log: Log,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) gateway: Option<Gateway>,
    pub(crate) verify: Option<Verify>,
    pub(crate) revoke: Option<Revoke>,
    pub(crate) links: Option<Links>,
    pub(crate) feed: Option<Feed>,
    pub(crate) admin: Admin,
}

/// The default configuration, with comments. It passes `--check`.
pub(crate) const DEFAULT: &str = include_str!("default.toml");

/// Reads a configuration. The error is one line, and says where the problem is.
///
/// `name` is the name of the file for errors. `overrides` count from the first to the last.
pub(crate) fn read(
    name: &str,
    text: &str,
    overrides: Vec<Override>,
) -> Result<(Config, Origins), String> {
    let mut origins = Origins::new(name, text);
    let document = document::read(&mut origins, overrides)?;
    match Config::new(document) {
        Ok(config) => Ok((config, origins)),
        Err(problem) => Err(origins.line(&problem)),
    }
}

/// The admin socket of a configuration that may be wrong in every other place.
pub(crate) fn socket(text: &str) -> Option<PathBuf> {
    let (root, _) = DeTable::parse_recoverable(text);
    let admin = root.get_ref().get("admin")?.get_ref().as_table()?;
    let socket = admin.get("socket")?.get_ref().as_str()?;
    Some(PathBuf::from(socket)).filter(|socket| !socket.as_os_str().is_empty())
}

impl Config {
    fn new(document: Document) -> Result<Self, Problem> {
        let limits = Limits::new(&document.limits.unwrap_or_default())?;
        let gateway = document.gateway.map(Gateway::new).transpose()?;
        let verify = document.verify.map(Verify::new).transpose()?;
        let issuers = issuer::all(document.issuer)?;
        let config = Self {
            run: Run::new(&document.run.unwrap_or_default())?,
            logging: Logging::new(document.logging.unwrap_or_default()),
            log: Log::new(document.log)?,
            revoke: document.revoke.map(Revoke::new).transpose()?,
            links: document.links.map(Links::new).transpose()?,
            feed: document.feed.map(Feed::new).transpose()?,
            admin: Admin::new(document.admin.unwrap_or_default())?,
            limits,
            issuers,
            gateway,
            verify,
        };
        config.check_parts()?;
        config.check_links()?;
        config.check_addresses()?;
        Ok(config)
    }

    /// Whether the parts fit together.
    fn check_parts(&self) -> Result<(), Problem> {
        let decides = self.gateway.is_some() || self.verify.is_some();
        if !decides && self.feed.is_none() {
            return Err(Problem::new(
                "gateway",
                "there is nothing to serve: add [gateway], [verify] or [feed]",
            ));
        }
        if decides && self.issuers.is_empty() {
            return Err(Problem::new(
                "issuer",
                "missing: add an [[issuer]] whose tokens are accepted",
            ));
        }
        if !self.log.tenants && self.issuers.len() > 1 {
            return Err(Problem::new(
                "log.tenants",
                "with several issuers, records must name theirs: remove the key",
            ));
        }
        match (&self.gateway, &self.revoke) {
            (None, Some(_)) => Err(Problem::new(
                "revoke",
                "revocations come in at the gateway: add [gateway] with `listen`",
            )),
            (Some(gateway), None) if gateway.upstream.is_none() => Err(Problem::new(
                "gateway.upstream",
                "missing: set it to the URL of the API, such as \"http://127.0.0.1:3000\"",
            )),
            (_, Some(revoke)) if self.log.is_a_feed() && revoke.mode == Mode::Terminate => {
                Err(Problem::new(
                    "revoke.mode",
                    "a feed can only be read: use \"forward\", or a log that can be written",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Links are learnt at the gateway, stored in a file, and used by revocations.
    fn check_links(&self) -> Result<(), Problem> {
        let Some(links) = &self.links else {
            return Ok(());
        };
        let is_file = matches!(self.log.location, Location::Path(_));
        match &self.revoke {
            None => Err(Problem::new("links", "nobody would use them: add [revoke]")),
            Some(revoke) if revoke.path == links.path => Err(Problem::new(
                "links.path",
                "it is that of the revocation endpoint: choose another",
            )),
            Some(_) if is_file == links.file.is_some() => Err(Problem::new(
                "links.file",
                if is_file {
                    "links are in the file of the log: remove the key"
                } else {
                    "missing: the log is on a server, so set it to a file of this process"
                },
            )),
            Some(_) => Ok(()),
        }
    }

    /// Two listeners cannot have one address.
    fn check_addresses(&self) -> Result<(), Problem> {
        let mut seen: Vec<(std::net::SocketAddr, &str)> = Vec::new();
        for (key, listen) in self.listeners() {
            let address = listen.address;
            // The system chooses a free port for 0.
            if let Some((_, other)) = seen
                .iter()
                .find(|(seen, _)| *seen == address && address.port() != 0)
            {
                let reason = format!("{address} is the address of {other} too: choose another");
                return Err(Problem::new(key, reason));
            }
            seen.push((address, key));
        }
        Ok(())
    }

    /// The TCP listeners, each with its key.
    pub(crate) fn listeners(&self) -> impl Iterator<Item = (&'static str, &Listen)> {
        let gateway = self
            .gateway
            .as_ref()
            .map(|it| ("gateway.listen", &it.listen));
        let verify = self.verify.as_ref().map(|it| ("verify.listen", &it.listen));
        let feed = self.feed.as_ref().map(|it| ("feed.listen", &it.listen));
        let admin = self.admin.listen.as_ref().map(|it| ("admin.listen", it));
        [gateway, verify, feed, admin].into_iter().flatten()
    }
}
