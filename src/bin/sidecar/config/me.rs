//! `[me]`: users see and end their own sessions, on the listener of the gateway.

use hyper::header::HeaderValue;
use serde::Deserialize;

use super::{
    Config, cors,
    problem::{Problem, Problems},
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    path: Option<String>,
    scope: Option<String>,
    cors: Option<Vec<String>>,
    pages: Option<String>,
    hosts: Option<Vec<String>>,
}

/// Users see and end their own sessions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Me {
    /// What the paths of the calls begin with.
    pub(crate) path: String,
    /// The scope that a token needs.
    pub(crate) scope: Option<String>,
    /// The origins whose apps may call.
    pub(crate) cors: Vec<HeaderValue>,
    /// The path of the pages. `None`: there are none.
    pub(crate) pages: Option<String>,
    /// The values of `Host` under which there are pages.
    pub(crate) hosts: Vec<String>,
}

impl Me {
    pub(super) fn new(section: Section, found: &mut Problems) -> Self {
        let path = section.path.unwrap_or_else(|| "/v1/me".to_owned());
        if !is_path(&path) {
            let reason = "expected a path such as \"/v1/me\", without `/` at its end";
            found.note(Problem::new("me.path", reason));
        }
        if !section.pages.as_deref().is_none_or(is_path) {
            let reason = "expected a path such as \"/me\", without `/` at its end";
            found.note(Problem::new("me.pages", reason));
        }
        let hosts = section.hosts.unwrap_or_default();
        if section.pages.is_some() && hosts.is_empty() {
            let reason =
                "it needs me.hosts, the names of the gateway, such as [\"app.example.com\"]";
            found.note(Problem::new("me.pages", reason));
        }
        if !section.scope.as_deref().is_none_or(is_scope) {
            let reason = "expected one scope, such as \"sessions\"";
            found.note(Problem::new("me.scope", reason));
        }
        Self {
            path,
            scope: section.scope,
            pages: section.pages,
            hosts,
            cors: cors::origins("me.cors", section.cors, found),
        }
    }
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && !path.ends_with('/') && !path.contains(['?', '#'])
}

/// RFC 6749 §3.3.
fn is_scope(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    !text.is_empty() && text.bytes().all(is_allowed)
}

impl Config {
    /// Tokens are noted at the gateway, and users ask there.
    pub(super) fn check_sightings(&self) -> Result<(), Problem> {
        let api = self.gateway.as_ref().and_then(|it| it.upstream.as_ref());
        if self.sightings.is_some() && api.is_none() {
            let reason =
                "only requests that pass the gateway are noted: add [gateway] with `upstream`";
            return Err(Problem::new("sightings", reason));
        }
        let Some(me) = &self.me else {
            return Ok(());
        };
        if self.sightings.is_none() {
            let reason = "sessions are known from sightings: add [sightings]";
            return Err(Problem::new("me", reason));
        }
        let revoke = self.revoke.as_ref().map(|revoke| &*revoke.path);
        let links = self.links.as_ref().map(|links| &*links.path);
        let profiles = self.profiles.iter().map(|profile| &*profile.path);
        let others: Vec<&str> = revoke.into_iter().chain(links).chain(profiles).collect();
        let is_at_or_below = |path: &str, other: &str| {
            let rest = path.strip_prefix(other);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let overlap =
            |one: &str, other: &str| is_at_or_below(one, other) || is_at_or_below(other, one);
        let pages = me.pages.as_deref();
        let is_taken = |path: &str| others.iter().any(|other| overlap(other, path));
        let reason = "another endpoint has a path there: choose another";
        if is_taken(&me.path) {
            return Err(Problem::new("me.path", reason));
        }
        if pages.is_some_and(|pages| is_taken(pages) || overlap(pages, &me.path)) {
            return Err(Problem::new("me.pages", reason));
        }
        Ok(())
    }
}
