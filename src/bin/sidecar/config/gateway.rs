//! `[gateway]`: a reverse proxy in front of an API.

use hyper::Uri;
use serde::Deserialize;
use tower_revocation::client::Network;

use super::{
    identity::{self, Identity},
    listen::{Listen, Tls, networks},
    problem::{Problem, Problems},
    route::{self, Route},
    url,
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    listen: Option<String>,
    upstream: Option<String>,
    tls: Option<Tls>,
    trusted_proxies: Option<Vec<String>>,
    routes: Option<Vec<route::Section>>,
    authorization: Option<Authorization>,
    preflight: Option<Preflight>,
    identity_headers: Option<identity::Section>,
}

/// What happens to the Authorization field.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Authorization {
    #[default]
    Keep,
    Remove,
}

/// What happens to a preflight request of a browser, which never has a token.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Preflight {
    #[default]
    Check,
    Pass,
}

/// A reverse proxy in front of an API.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gateway {
    pub(crate) listen: Listen,
    /// The load balancers in front of it.
    pub(crate) trusted_proxies: Vec<Network>,
    /// The base URL of the API. `None`: only revocations are served.
    pub(crate) upstream: Option<Uri>,
    pub(crate) routes: Vec<Route>,
    pub(crate) authorization: Authorization,
    pub(crate) preflight: Preflight,
    pub(crate) identity: Identity,
}

impl Gateway {
    /// `None` if something is wrong.
    pub(super) fn new(section: Section, found: &mut Problems) -> Option<Self> {
        let listen = match section.listen {
            Some(listen) => Listen::new("gateway.listen", &listen, section.tls),
            None => Err(Problem::missing("gateway.listen", "\"0.0.0.0:8080\"")),
        };
        let listen = found.or_note(listen);
        let upstream = section.upstream.as_deref().map(upstream).transpose();
        let upstream = found.or_note(upstream);
        let routes = Route::all("gateway.routes", section.routes, found);
        let identity = Identity::new("gateway.identity_headers", section.identity_headers, found);
        let proxies = networks("gateway.trusted_proxies", section.trusted_proxies, found);
        Some(Self {
            listen: listen?,
            trusted_proxies: proxies,
            upstream: upstream?,
            routes,
            authorization: section.authorization.unwrap_or_default(),
            preflight: section.preflight.unwrap_or_default(),
            identity,
        })
    }
}

fn upstream(text: &str) -> Result<Uri, Problem> {
    let key = "gateway.upstream";
    let uri = url::parse(key, text, &["http", "https", "h2c"])?;
    if uri.query().is_some() {
        return Err(Problem::new(key, "a base URL must not have a query"));
    }
    Ok(uri)
}
