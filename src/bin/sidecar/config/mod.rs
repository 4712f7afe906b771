//! The configuration: a file, then the environment, then flags.
//!
//! This module reads one text and the settings over it, and checks what can be checked without
//! opening anything else. It depends on nothing else in the program, so that a fuzz target can
//! include it.

mod admin;
mod cors;
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
mod me;
mod on_revoke;
mod origin;
mod overrides;
mod path;
mod problem;
mod profile;
mod revoke;
mod route;
mod run;
mod sightings;
mod url;
mod verify;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use ::toml::de::DeTable;
use document::Document;
pub(crate) use {
    admin::{Admin, ProxyNames},
    feed::Feed,
    gateway::{Authorization, Gateway, Preflight},
    identity::Identity,
    issuer::{Dialect, Introspection, Issuer, IssuerKeys, Method},
    limits::Limits,
    links::Links,
    listen::Listen,
    log::{Location, Log},
    logging::{Format, Logging},
    me::Me,
    on_revoke::OnRevoke,
    origin::Origins,
    overrides::{Override, from_environment, from_flag},
    problem::{Problem, Problems, one_line},
    profile::{Profile, Switch, System},
    revoke::{Mode, Revoke},
    route::{Route, Upgrade},
    run::Run,
    sightings::Sightings,
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
    pub(crate) sightings: Option<Sightings>,
    pub(crate) me: Option<Me>,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) feed: Option<Feed>,
    pub(crate) admin: Admin,
}

/// The default configuration, with comments. It passes `--check`.
pub(crate) const DEFAULT: &str = include_str!("default.toml");

/// Reads a configuration. The error is a line about each mistake, and says where it is.
///
/// `name` is the name of the file for errors. `overrides` count from the first to the last.
pub(crate) fn read(
    name: &str,
    text: &str,
    overrides: Vec<Override>,
) -> Result<(Config, Origins), Vec<String>> {
    let mut origins = Origins::new(name, text);
    // A text that is no document has no keys to look at.
    let document = document::read(&mut origins, overrides).map_err(|line| vec![line])?;
    match Config::new(document) {
        Ok(config) => Ok((config, origins)),
        Err(problems) => Err(origins.lines(&problems)),
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
    /// Each section is checked, and then how they fit together.
    fn new(document: Document) -> Result<Self, Problems> {
        let mut found = Problems::default();
        let sections = Self::of_sections(document, &mut found);
        let config = found.none_in(sections)?;
        let mut found = Problems::default();
        config.check_parts(&mut found);
        found.or_note(config.check_links());
        found.or_note(config.check_sightings());
        config.check_profiles(&mut found);
        config.check_addresses(&mut found);
        found.none_in(Some(config))
    }

    /// The sections that are right. `None` if one is wrong that must be there.
    fn of_sections(document: Document, found: &mut Problems) -> Option<Self> {
        let run = Run::new(&document.run.unwrap_or_default(), found);
        let limits = Limits::new(&document.limits.unwrap_or_default(), found);
        let log = Log::new(document.log, found);
        let issuers = issuer::all(document.issuer, found);
        let gateway = document.gateway.and_then(|it| Gateway::new(it, found));
        let verify = document.verify.and_then(|it| Verify::new(it, found));
        let revoke = document.revoke.and_then(|it| Revoke::new(it, found));
        let links = document.links.and_then(|it| Links::new(it, found));
        let sightings = document.sightings;
        let sightings = sightings.and_then(|it| Sightings::new(it, found));
        let me = document.me.map(|it| Me::new(it, found));
        let feed = document.feed.and_then(|it| Feed::new(it, found));
        let admin = Admin::new(document.admin.unwrap_or_default(), found);
        Some(Self {
            run,
            logging: Logging::new(document.logging.unwrap_or_default()),
            limits,
            log: log?,
            issuers,
            gateway,
            verify,
            revoke,
            links,
            sightings,
            me,
            profiles: Profile::all(document.profile, found),
            feed,
            admin: admin?,
        })
    }

    /// Whether the parts fit together.
    fn check_parts(&self, found: &mut Problems) {
        let mut wrong = |key: &str, reason: &str| found.note(Problem::new(key, reason));
        let decides = self.gateway.is_some() || self.verify.is_some();
        if !decides && self.feed.is_none() {
            wrong(
                "gateway",
                "there is nothing to serve: add [gateway], [verify] or [feed]",
            );
        }
        if decides && self.issuers.is_empty() {
            let reason = "missing: add an [[issuer]] whose tokens are accepted";
            wrong("issuer", reason);
        }
        for (number, issuer) in self.issuers.iter().enumerate() {
            if self.log.is_a_feed() && issuer.on_revoke.is_some() {
                wrong(
                    &format!("issuer[{number}].on_revoke"),
                    "orders are not kept beside a feed: set it where the log is",
                );
            }
        }
        if !self.log.tenants && self.issuers.len() > 1 {
            wrong(
                "log.tenants",
                "with several issuers, records must name theirs: remove the key",
            );
        }
        match (&self.gateway, &self.revoke) {
            (None, Some(_)) => wrong(
                "revoke",
                "revocations come in at the gateway: add [gateway] with `listen`",
            ),
            (Some(gateway), None) if gateway.upstream.is_none() => wrong(
                "gateway.upstream",
                "missing: set it to the URL of the API, such as \"http://127.0.0.1:3000\"",
            ),
            _ => {}
        }
        let terminates = |revoke: &Revoke| revoke.mode == Mode::Terminate;
        if self.log.is_a_feed() && self.revoke.as_ref().is_some_and(terminates) {
            wrong(
                "revoke.mode",
                "a feed can only be read: use \"forward\", or a log that can be written",
            );
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

    /// Profiles use the clients of `[revoke]`, each on a path of its own.
    fn check_profiles(&self, found: &mut Problems) {
        let links = self.links.as_ref().map(|links| &*links.path);
        let revoke = self.revoke.as_ref().map(|revoke| &*revoke.path);
        let mut taken: Vec<&str> = revoke.into_iter().chain(links).collect();
        for (number, profile) in self.profiles.iter().enumerate() {
            let key = |name| format!("profile[{number}].{name}");
            if taken.contains(&&*profile.path) {
                let reason = "another endpoint has this path: choose another";
                found.note(Problem::new(key("path"), reason));
            }
            taken.push(&profile.path);
            match &self.revoke {
                None => found.note(Problem::new(
                    key("system"),
                    "nobody knows its clients: add [revoke]",
                )),
                Some(revoke) if revoke.mode == Mode::Forward && profile.is_without_clients() => {
                    found.note(Problem::new(
                        key("system"),
                        "its clients do not authenticate, so the authorization server would refuse \
                         them: use revoke.mode = \"terminate\"",
                    ));
                }
                Some(revoke) => {
                    if let Err(reason) = self.check_tenants(revoke, profile) {
                        found.note(Problem::new(key("tenants"), reason));
                    }
                }
            }
        }
    }

    /// The tenant of a token is its issuer. A request that names another one would revoke nothing.
    fn check_tenants(&self, revoke: &Revoke, profile: &Profile) -> Result<(), String> {
        if profile.tenants.is_empty() {
            return Ok(());
        }
        if revoke.mode == Mode::Forward {
            return Err(
                "the authorization server is not told the tenant: remove it, or use \
                        revoke.mode = \"terminate\""
                    .to_owned(),
            );
        }
        if !self.log.tenants {
            return Err(
                "tokens have no tenant: remove it, or remove log.tenants = false".to_owned(),
            );
        }
        let is_known = |url: &&String| self.issuers.iter().any(|issuer| issuer.url == **url);
        match profile.tenants.values().find(|url| !is_known(url)) {
            Some(url) => Err(format!(
                "no [[issuer]] has the url \"{url}\", so no token would be revoked"
            )),
            None => Ok(()),
        }
    }

    /// Two listeners cannot have one address.
    fn check_addresses(&self, found: &mut Problems) {
        let mut seen: Vec<(std::net::SocketAddr, &str)> = Vec::new();
        for (key, listen) in self.listeners() {
            let address = listen.address;
            // The system chooses a free port for 0.
            if let Some((_, other)) = seen
                .iter()
                .find(|(seen, _)| *seen == address && address.port() != 0)
            {
                let reason = format!("{address} is the address of {other} too: choose another");
                found.note(Problem::new(key, reason));
            }
            seen.push((address, key));
        }
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
