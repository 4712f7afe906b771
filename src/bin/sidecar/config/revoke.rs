//! `[revoke]`: the revocation endpoint, on the listener of the gateway.

use std::path::PathBuf;

use hyper::{Uri, header::HeaderValue};
use serde::Deserialize;

use super::{problem::Problem, url};

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
}

impl Revoke {
    pub(super) fn new(section: Section) -> Result<Self, Problem> {
        let Some(mode) = section.mode else {
            return Err(Problem::new(
                "revoke.mode",
                "missing: \"terminate\" if this process revokes, \"forward\" if the authorization \
                 server does",
            ));
        };
        let path = section.path.unwrap_or_else(|| "/oauth2/revoke".to_owned());
        if !path.starts_with('/') || path.contains(['?', '#']) {
            let reason = "expected a path such as \"/oauth2/revoke\"";
            return Err(Problem::new("revoke.path", reason));
        }
        let insecure = section.insecure.unwrap_or(false);
        let upstream = section.upstream.as_deref();
        let upstream = upstream
            .map(|text| upstream_of(text, insecure))
            .transpose()?;
        match mode {
            Mode::Terminate if section.clients.is_none() => {
                return Err(Problem::missing(
                    "revoke.clients",
                    "\"/etc/sidecar/clients.json\": in the mode \"terminate\" the registry says who \
                     may revoke",
                ));
            }
            Mode::Terminate if upstream.is_some() => {
                let reason = "it is for the mode \"forward\": remove it, or change revoke.mode";
                return Err(Problem::new("revoke.upstream", reason));
            }
            Mode::Forward if upstream.is_none() => {
                return Err(Problem::missing(
                    "revoke.upstream",
                    "\"https://id.example.com/oauth2/revoke\": the endpoint of the authorization \
                     server",
                ));
            }
            Mode::Terminate | Mode::Forward => {}
        }
        let cors = section.cors.unwrap_or_default();
        let cors = cors.iter().enumerate().map(|(number, origin)| {
            let key = format!("revoke.cors[{number}]");
            origin_of(origin).ok_or_else(|| {
                Problem::new(
                    key,
                    "expected an origin, such as \"https://app.example.com\"",
                )
            })
        });
        Ok(Self {
            path,
            mode,
            clients: section.clients,
            upstream,
            insecure,
            audiences: section.audiences.unwrap_or_default(),
            cors: cors.collect::<Result<_, _>>()?,
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

/// An origin as a browser sends it.
fn origin_of(text: &str) -> Option<HeaderValue> {
    let uri: Uri = text.parse().ok()?;
    let is_origin = format!("{}://{}", uri.scheme_str()?, uri.authority()?) == text;
    is_origin.then(|| HeaderValue::from_str(text).ok())?
}
