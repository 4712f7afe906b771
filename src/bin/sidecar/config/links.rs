//! `[links]`: which access tokens belong to an opaque refresh token, learnt from the token responses
//! that pass the gateway.

use std::path::PathBuf;

use hyper::Uri;
use serde::Deserialize;

use super::{
    problem::{Problem, Problems},
    url,
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    path: Option<String>,
    upstream: Option<String>,
    insecure: Option<bool>,
    refuse_revoked: Option<bool>,
    file: Option<PathBuf>,
}

/// The token endpoint, which the gateway forwards to and learns from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Links {
    /// Its path at the gateway.
    pub(crate) path: String,
    /// The token endpoint of the authorization server.
    pub(crate) upstream: Uri,
    /// Whether a refresh token that is revoked gets no new tokens.
    pub(crate) refuse_revoked: bool,
    /// Where links are, if the log is not in a file.
    pub(crate) file: Option<PathBuf>,
}

impl Links {
    /// `None` if something is wrong.
    pub(super) fn new(section: Section, found: &mut Problems) -> Option<Self> {
        let insecure = section.insecure.unwrap_or(false);
        let upstream = match section.upstream {
            Some(upstream) => upstream_of(&upstream, insecure),
            None => Err(Problem::missing(
                "links.upstream",
                "\"https://id.example.com/oauth2/token\"",
            )),
        };
        let upstream = found.or_note(upstream);
        let path = section.path.unwrap_or_else(|| "/oauth2/token".to_owned());
        if !path.starts_with('/') || path.contains(['?', '#']) {
            let reason = "expected a path such as \"/oauth2/token\"";
            found.note(Problem::new("links.path", reason));
        }
        Some(Self {
            path,
            upstream: upstream?,
            refuse_revoked: section.refuse_revoked.unwrap_or(true),
            file: section.file,
        })
    }
}

fn upstream_of(text: &str, insecure: bool) -> Result<Uri, Problem> {
    let key = "links.upstream";
    let upstream = url::parse(key, text, &["https", "http"])?;
    if upstream.scheme_str() == Some("http") && !insecure && !url::is_this_machine(&upstream) {
        return Err(Problem::new(key, url::PLAIN));
    }
    if upstream.query().is_some() {
        return Err(Problem::new(key, "the URL must not have a query"));
    }
    Ok(upstream)
}
