//! `routes`: what differs from path to path.

use std::time::Duration;

use serde::Deserialize;
use tower_revocation::proxy::is_canonical;

use super::{
    duration::Length,
    problem::{Problem, Problems},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    path: String,
    token: Option<Need>,
    upgrade: Option<Upgrade>,
    serve_stale: Option<Length>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Need {
    Required,
    Optional,
}

/// The protocol to which a connection may be switched.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Upgrade {
    Websocket,
}

/// A path, or everything below one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Route {
    path: String,
    and_below: bool,
    /// Whether a request without a token passes.
    pub(crate) is_token_optional: bool,
    pub(crate) upgrade: Option<Upgrade>,
    /// How old the index may be.
    pub(crate) serve_stale: Option<Duration>,
}

impl Route {
    /// Those that are right.
    pub(super) fn all(
        key: &str,
        sections: Option<Vec<Section>>,
        found: &mut Problems,
    ) -> Vec<Self> {
        let sections = sections.unwrap_or_default();
        let routes = sections
            .into_iter()
            .enumerate()
            .filter_map(|(number, section)| {
                let key = format!("{key}[{number}].path");
                found.or_note(Self::new(&key, section))
            });
        routes.collect()
    }

    fn new(key: &str, section: Section) -> Result<Self, Problem> {
        let (path, and_below) = match section.path.strip_suffix("/*") {
            Some(path) => (path.to_owned(), true),
            None => (section.path, false),
        };
        let is_plain = path.is_empty() && and_below || is_canonical(&path) && !path.contains('*');
        if !is_plain {
            return Err(Problem::new(
                key,
                "expected a path such as \"/health\", or \"/public/*\" for everything below it, \
                 without `//`, `/.`, `\\`, `;` and escapes of letters, digits and `-._~/\\%`",
            ));
        }
        Ok(Self {
            path,
            and_below,
            is_token_optional: section.token == Some(Need::Optional),
            upgrade: section.upgrade,
            serve_stale: section.serve_stale.map(|length| length.0),
        })
    }

    /// Whether this route is the one of a path. **A path that servers may read in several ways is
    /// that of no route.**
    pub(crate) fn is_of(&self, path: &str) -> bool {
        let rest = path.strip_prefix(&*self.path);
        let is_it = rest.is_some_and(|rest| {
            rest.is_empty() && !self.and_below || rest.starts_with('/') && self.and_below
        });
        is_it && is_canonical(path)
    }
}
