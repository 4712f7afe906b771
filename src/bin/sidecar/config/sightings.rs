//! `[sightings]`: the gateway notes which tokens are used.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{
    duration::Length,
    problem::{Problem, Problems},
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    enabled: Option<bool>,
    capacity: Option<usize>,
    per_subject: Option<usize>,
    idle_after: Option<Length>,
    key_file: Option<PathBuf>,
}

/// The gateway notes which tokens are used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sightings {
    /// The most tokens that are noted.
    pub(crate) capacity: usize,
    /// Those of one subject.
    pub(crate) per_subject: usize,
    /// A token that was not used for this time is forgotten.
    pub(crate) idle_after: Duration,
    /// The key of the identifiers. `None`: it lives as long as the process.
    pub(crate) key_file: Option<PathBuf>,
}

impl Sightings {
    /// `None` if nothing is noted.
    pub(super) fn new(section: Section, found: &mut Problems) -> Option<Self> {
        let idle_after = section.idle_after.map(|length| length.0);
        let sightings = Self {
            capacity: section.capacity.unwrap_or(100_000),
            per_subject: section.per_subject.unwrap_or(100),
            idle_after: idle_after.unwrap_or(Duration::from_secs(30 * 86_400)),
            key_file: section.key_file,
        };
        let mut wrong = |is_wrong: bool, key: &str| {
            if is_wrong {
                let reason = "with 0 nothing is noted: set enabled = false instead";
                found.note(Problem::new(key, reason));
            }
        };
        wrong(sightings.capacity == 0, "sightings.capacity");
        wrong(sightings.per_subject == 0, "sightings.per_subject");
        wrong(sightings.idle_after.as_secs() == 0, "sightings.idle_after");
        section.enabled.unwrap_or(true).then_some(sightings)
    }
}
