//! `[run]`: how the process starts, reloads and ends.

use std::time::Duration;

use serde::Deserialize;

use super::{
    duration::Length,
    problem::{Problem, Problems},
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    allow_root: Option<bool>,
    reload_every: Option<Length>,
    shutdown_delay: Option<Length>,
    shutdown_timeout: Option<Length>,
}

/// How the process starts, reloads and ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    /// Whether the process may run as root.
    pub(crate) allow_root: bool,
    /// How often to look whether files have changed.
    pub(crate) reload_every: Duration,
    /// How long the listeners stay open after the process says that it is not ready.
    pub(crate) shutdown_delay: Duration,
    /// How long requests in flight may take after that.
    pub(crate) shutdown_timeout: Duration,
}

impl Run {
    pub(super) fn new(section: &Section, found: &mut Problems) -> Self {
        let length = |given: Option<Length>, default| given.map_or(default, |length| length.0);
        let run = Self {
            allow_root: section.allow_root.unwrap_or(false),
            reload_every: length(section.reload_every, Duration::from_secs(30)),
            shutdown_delay: length(section.shutdown_delay, Duration::from_secs(2)),
            shutdown_timeout: length(section.shutdown_timeout, Duration::from_secs(20)),
        };
        if run.reload_every < Duration::from_millis(10) {
            found.note(Problem::new("run.reload_every", "choose at least \"10ms\""));
        }
        run
    }
}
