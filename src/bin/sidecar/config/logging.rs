//! `[logging]`: the lines on stderr.

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    format: Option<Format>,
    level: Option<String>,
}

/// Requests without a token are events of the level `debug`, and each refusal is a line.
const LEVEL: &str = "info,tower_revocation=debug";

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

/// The lines on stderr.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Logging {
    pub(crate) format: Format,
    /// A level, or a list such as `warn,tower_revocation=debug`.
    pub(crate) level: String,
}

impl Logging {
    pub(super) fn new(section: Section) -> Self {
        Self {
            format: section.format.unwrap_or_default(),
            level: section.level.unwrap_or_else(|| LEVEL.to_owned()),
        }
    }
}
