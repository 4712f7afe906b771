//! `[verify]`: the decision for the proxies of others.

use serde::Deserialize;
use tower_revocation::client::Network;

use super::{
    identity::{self, Identity},
    listen::{Listen, Tls, networks},
    problem::{Problem, Problems},
    route::{self, Route},
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    listen: Option<String>,
    tls: Option<Tls>,
    insecure: Option<bool>,
    routes: Option<Vec<route::Section>>,
    trusted_proxies: Option<Vec<String>>,
    identity_headers: Option<identity::Section>,
}

/// The decision for the proxies of others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verify {
    pub(crate) listen: Listen,
    pub(crate) routes: Vec<Route>,
    /// Those who are believed which path and which method a client has requested.
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) identity: Identity,
}

impl Verify {
    /// The proxies that ask: those on this machine, and the trusted ones.
    pub(crate) fn proxies(&self) -> impl Iterator<Item = Network> {
        let here = ["127.0.0.0/8", "::1"].map(|network| network.parse().expect("it is a network"));
        here.into_iter().chain(self.trusted_proxies.iter().copied())
    }

    /// `None` if something is wrong.
    pub(super) fn new(section: Section, found: &mut Problems) -> Option<Self> {
        let insecure = section.insecure.unwrap_or(false);
        let listen = match section.listen {
            Some(listen) => Listen::new("verify.listen", &listen, section.tls)
                .and_then(|listen| listen.confidential("verify", insecure)),
            None => Err(Problem::missing("verify.listen", "\"127.0.0.1:9001\"")),
        };
        let listen = found.or_note(listen);
        let routes = Route::all("verify.routes", section.routes, found);
        let trusted_proxies = networks("verify.trusted_proxies", section.trusted_proxies, found);
        let identity = Identity::new("verify.identity_headers", section.identity_headers, found);
        Some(Self {
            listen: listen?,
            routes,
            trusted_proxies,
            identity,
        })
    }
}
