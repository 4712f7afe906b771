//! `[revoke]`: the revocation endpoint, on the listener of the gateway.

use std::path::PathBuf;

use hyper::{Uri, header::HeaderValue};
use serde::Deserialize;

use super::{
    cors,
    problem::{Problem, Problems},
    url,
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    path: Option<String>,
    mode: Option<Mode>,
    clients: Option<PathBuf>,
    upstream: Option<String>,
    insecure: Option<bool>,
    audiences: Option<Vec<String>>,
    cors: Option<Vec<String>>,
    dangerously_allow_jsonp: Option<bool>,
}

/// Who has the last word about a revocation.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// This process: its registry knows the clients.
    Terminate,
    /// The authorization server. What it has revoked is recorded here.
    Forward,
}

/// The revocation endpoint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Revoke {
    pub(crate) path: String,
    pub(crate) mode: Mode,
    /// The registry (RFC 7591).
    pub(crate) clients: Option<PathBuf>,
    /// The revocation endpoint of the authorization server.
    pub(crate) upstream: Option<Uri>,
    /// Whether that may be `http` on another machine.
    pub(crate) insecure: bool,
    /// The values of `aud` in assertions of clients.
    pub(crate) audiences: Vec<String>,
    /// The origins whose apps may call.
    pub(crate) cors: Vec<HeaderValue>,
    /// Whether scripts may revoke, with a token in the query.
    pub(crate) allows_jsonp: bool,
}

impl Revoke {
    /// `None` if something is wrong.
    pub(super) fn new(section: Section, found: &mut Problems) -> Option<Self> {
        let path = section.path.unwrap_or_else(|| "/oauth2/revoke".to_owned());
        if !path.starts_with('/') || path.contains(['?', '#']) {
            let reason = "expected a path such as \"/oauth2/revoke\"";
            found.note(Problem::new("revoke.path", reason));
        }
        match section.mode {
            None => found.note(Problem::new(
                "revoke.mode",
                "missing: \"terminate\" if this process revokes, \"forward\" if the authorization \
                 server does",
            )),
            Some(Mode::Terminate) if section.clients.is_none() => found.note(Problem::missing(
                "revoke.clients",
                "\"/etc/sidecar/clients.json\": in the mode \"terminate\" the registry says who may \
                 revoke",
            )),
            Some(Mode::Forward) if section.upstream.is_none() => found.note(Problem::missing(
                "revoke.upstream",
                "\"https://id.example.com/oauth2/revoke\": the endpoint of the authorization server",
            )),
            Some(Mode::Terminate | Mode::Forward) => {}
        }
        if section.mode == Some(Mode::Terminate) && section.upstream.is_some() {
            let reason = "it is for the mode \"forward\": remove it, or change revoke.mode";
            found.note(Problem::new("revoke.upstream", reason));
        }
        let insecure = section.insecure.unwrap_or(false);
        let upstream = section.upstream.as_deref();
        let upstream = upstream.map(|text| upstream_of(text, insecure)).transpose();
        let upstream = found.or_note(upstream);
        let cors = cors::origins("revoke.cors", section.cors, found);
        Some(Self {
            path,
            mode: section.mode?,
            clients: section.clients,
            upstream: upstream?,
            insecure,
            audiences: section.audiences.unwrap_or_default(),
            cors,
            allows_jsonp: section.dangerously_allow_jsonp.unwrap_or(false),
        })
    }
}

fn upstream_of(text: &str, insecure: bool) -> Result<Uri, Problem> {
    let key = "revoke.upstream";
    let uri = url::parse(key, text, &["https", "http"])?;
    if uri.scheme_str() == Some("http") && !insecure && !url::is_this_machine(&uri) {
        return Err(Problem::new(key, url::PLAIN));
    }
    Ok(uri)
}
