//! `[feed]`: this process serves its log to others.

use std::path::PathBuf;

use serde::Deserialize;

use super::{
    listen::{Listen, Tls},
    problem::Problem,
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    listen: Option<String>,
    path: Option<String>,
    tokens_file: Option<PathBuf>,
    tls: Option<Tls>,
    insecure: Option<bool>,
}

/// This process serves its log to others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Feed {
    pub(crate) listen: Listen,
    pub(crate) path: String,
    /// One token in each line.
    pub(crate) tokens_file: PathBuf,
}

impl Feed {
    pub(super) fn new(section: Section) -> Result<Self, Problem> {
        let Some(listen) = section.listen else {
            return Err(Problem::missing("feed.listen", "\"0.0.0.0:9003\""));
        };
        let Some(tokens_file) = section.tokens_file else {
            return Err(Problem::missing(
                "feed.tokens_file",
                "\"/run/secrets/feed\"",
            ));
        };
        let path = section.path.unwrap_or_else(|| "/feed".to_owned());
        if !path.starts_with('/') || path.contains(['?', '#']) {
            let reason = "expected a path such as \"/feed\"";
            return Err(Problem::new("feed.path", reason));
        }
        let listen = Listen::new("feed.listen", &listen, section.tls)?;
        Ok(Self {
            listen: listen.confidential("feed", section.insecure.unwrap_or(false))?,
            path,
            tokens_file,
        })
    }
}
