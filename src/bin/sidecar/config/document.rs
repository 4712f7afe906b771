//! The keys that there are. A file may leave out every one of them, because the environment and
//! flags may add it.

use serde::Deserialize;

use super::{
    admin, feed, gateway, issuer, limits, links, log, logging, me, origin::Origins,
    overrides::Override, problem::Problem, profile, revoke, run, sightings, verify,
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) run: Option<run::Section>,
    pub(super) logging: Option<logging::Section>,
    pub(super) limits: Option<limits::Section>,
    pub(super) log: Option<log::Section>,
    #[serde(default)]
    pub(super) issuer: Vec<issuer::Section>,
    pub(super) gateway: Option<gateway::Section>,
    pub(super) verify: Option<verify::Section>,
    pub(super) revoke: Option<revoke::Section>,
    pub(super) links: Option<links::Section>,
    pub(super) sightings: Option<sightings::Section>,
    pub(super) me: Option<me::Section>,
    #[serde(default)]
    pub(super) profile: Vec<profile::Section>,
    pub(super) feed: Option<feed::Section>,
    pub(super) admin: Option<admin::Section>,
}

/// Reads the text, and sets each override in turn. So an error is about the text, or about one
/// override.
pub(super) fn read(origins: &mut Origins, overrides: Vec<Override>) -> Result<Document, String> {
    let text = origins.text();
    let of_text = |error: &toml::de::Error| origins.syntax(error);
    let mut document = toml::from_str(text).map_err(|error| of_text(&error))?;
    let mut table: toml::Table = toml::from_str(text).map_err(|error| of_text(&error))?;
    for next in overrides {
        (table, document) = next.set(&table).map_err(|problem: Problem| {
            let reason = problem.reason();
            super::one_line(&format!("{}: {reason}", next.label()))
        })?;
        origins.overridden_by(next);
    }
    Ok(document)
}
