//! `[verify]`: the decision for the proxies of others.

use serde::Deserialize;
use tower_revocation::client::Network;

use super::{
    identity::{self, Identity},
    listen::{Listen, Tls, networks},
    problem::Problem,
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

    pub(super) fn new(section: Section) -> Result<Self, Problem> {
        let Some(listen) = section.listen else {
            return Err(Problem::missing("verify.listen", "\"127.0.0.1:9001\""));
        };
        let listen = Listen::new("verify.listen", &listen, section.tls)?;
        Ok(Self {
            listen: listen.confidential("verify", section.insecure.unwrap_or(false))?,
            routes: Route::all("verify.routes", section.routes)?,
            trusted_proxies: networks("verify.trusted_proxies", section.trusted_proxies)?,
            identity: Identity::new("verify.identity_headers", section.identity_headers)?,
        })
    }
}
