//! `[feed]`: this process serves its log to others.

use std::path::PathBuf;

use serde::Deserialize;

use super::{
    listen::{Listen, Tls},
    problem::{Problem, Problems},
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
    /// `None` if something is wrong.
    pub(super) fn new(section: Section, found: &mut Problems) -> Option<Self> {
        let insecure = section.insecure.unwrap_or(false);
        let listen = match section.listen {
            Some(listen) => Listen::new("feed.listen", &listen, section.tls)
                .and_then(|listen| listen.confidential("feed", insecure)),
            None => Err(Problem::missing("feed.listen", "\"0.0.0.0:9003\"")),
        };
        let listen = found.or_note(listen);
        let tokens_file = section.tokens_file;
        let tokens_file = found.or_note(
            tokens_file
                .ok_or_else(|| Problem::missing("feed.tokens_file", "\"/run/secrets/feed\"")),
        );
        let path = section.path.unwrap_or_else(|| "/feed".to_owned());
        if !path.starts_with('/') || path.contains(['?', '#']) {
            let reason = "expected a path such as \"/feed\"";
            found.note(Problem::new("feed.path", reason));
        }
        Some(Self {
            listen: listen?,
            path,
            tokens_file: tokens_file?,
        })
    }
}
