//! `[admin]`: the socket of the command line, and the listener of operators.

use std::{num::NonZero, path::PathBuf, time::Duration};

use hyper::header::HeaderName;
use serde::Deserialize;
use tower_revocation::client::Network;

use super::{
    duration::Length,
    listen::{Listen, Tls, networks},
    problem::{Problem, Problems},
};

/// A year and what an audit after it takes.
const KEEP_ORDERS: Duration = Duration::from_secs(400 * 24 * 60 * 60);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    socket: Option<PathBuf>,
    listen: Option<String>,
    tls: Option<Tls>,
    insecure: Option<bool>,
    tokens_file: Option<PathBuf>,
    pages: Option<bool>,
    proxy_names: Option<ProxyNamesTable>,
    requests_per_minute: Option<NonZero<u32>>,
    hosts: Option<Vec<String>>,
    keep_orders: Option<Length>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProxyNamesTable {
    header: String,
    proxies: Vec<String>,
}

/// The socket of the command line, and the listener of operators.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Admin {
    /// `None`: the default place. If it cannot be made there, there is none.
    pub(crate) socket: Option<PathBuf>,
    pub(crate) listen: Option<Listen>,
    /// Names, roles and digests of tokens. `None`: no orders over TCP.
    pub(crate) tokens_file: Option<PathBuf>,
    /// Whether operators have pages.
    pub(crate) pages: bool,
    /// Proxies that name operators. `None`: none is believed.
    pub(crate) proxy_names: Option<ProxyNames>,
    /// How many requests each operator can send in a minute.
    pub(crate) requests_per_minute: u32,
    /// The values of `Host` over TCP, beside the address of the listener.
    pub(crate) hosts: Vec<String>,
    /// How long the orders of operators are kept.
    pub(crate) keep_orders: Duration,
}

/// The field in which proxies name an operator, and which proxies are believed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProxyNames {
    pub(crate) header: HeaderName,
    pub(crate) proxies: Vec<Network>,
}

impl Admin {
    /// `None` if something is wrong.
    pub(super) fn new(section: Section, found: &mut Problems) -> Option<Self> {
        for (is_set, key) in [
            (section.tls.is_some(), "admin.tls"),
            (section.tokens_file.is_some(), "admin.tokens_file"),
            (section.hosts.is_some(), "admin.hosts"),
            (
                section.requests_per_minute.is_some(),
                "admin.requests_per_minute",
            ),
        ] {
            if is_set && section.listen.is_none() {
                found.note(Problem::new(key, "it needs admin.listen: add it"));
            }
        }
        let keep_orders = section.keep_orders.map_or(KEEP_ORDERS, |length| length.0);
        if keep_orders < Duration::from_secs(1) {
            let reason = "expected at least 1s";
            found.note(Problem::new("admin.keep_orders", reason));
        }
        let insecure = section.insecure.unwrap_or(false);
        let listen = section.listen.map(|listen| {
            let listen = Listen::new("admin.listen", &listen, section.tls)?;
            listen.confidential("admin", insecure)
        });
        if section.proxy_names.is_some() && section.tokens_file.is_none() {
            let reason = "it needs admin.tokens_file, which lists the operators: add it";
            found.note(Problem::new("admin.proxy_names", reason));
        }
        let pages = section.pages.unwrap_or(false);
        if pages && section.tokens_file.is_none() {
            let reason = "it needs admin.tokens_file, which lists the operators: add it";
            found.note(Problem::new("admin.pages", reason));
        }
        let proxy_names = section.proxy_names.map(|table| table.read(found));
        let socket = section.socket;
        if socket.as_ref().is_some_and(|it| it.as_os_str().is_empty()) {
            let reason = "expected the path of a socket";
            found.note(Problem::new("admin.socket", reason));
        }
        Some(Self {
            socket,
            listen: found.or_note(listen.transpose())?,
            tokens_file: section.tokens_file,
            pages,
            proxy_names: match proxy_names {
                Some(read) => Some(read?),
                None => None,
            },
            requests_per_minute: section.requests_per_minute.map_or(6000, NonZero::get),
            hosts: section.hosts.unwrap_or_default(),
            keep_orders,
        })
    }
}

impl ProxyNamesTable {
    /// `None` if something is wrong.
    fn read(self, found: &mut Problems) -> Option<ProxyNames> {
        let key = "admin.proxy_names";
        let proxies = networks(&format!("{key}.proxies"), Some(self.proxies), found);
        let header = self.header.parse();
        let header = header.map_err(|_| {
            Problem::new(
                format!("{key}.header"),
                "expected the name of a header field, such as \"x-forwarded-user\"",
            )
        });
        if proxies.is_empty() {
            let reason = "expected the addresses of the proxies, such as [\"127.0.0.1\"]";
            found.note(Problem::new(format!("{key}.proxies"), reason));
        }
        Some(ProxyNames {
            header: found.or_note(header)?,
            proxies,
        })
    }
}
