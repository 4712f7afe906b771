//! What an operator vouches for, where a server does not tell.

use super::{Fault, wrong};
use crate::log::FleetAssumption;

const ALL: [FleetAssumption; 3] = [
    FleetAssumption::NoEviction,
    FleetAssumption::AofAlways,
    FleetAssumption::NoFailover,
];

/// The assumptions of a URL or of a builder, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::log::fleet::redis) struct Assumed(Vec<FleetAssumption>);

impl Assumed {
    /// Reads names with commas between.
    pub(super) fn read(given: &str) -> Result<Self, Fault> {
        let mut assumed = Self::default();
        for name in given.split(',').filter(|name| !name.is_empty()) {
            let known = ALL.into_iter().find(|known| known.name() == name);
            let known = known.ok_or_else(|| {
                wrong("`assume` can have `noeviction`, `aof-always` and `no-failover`")
            })?;
            if !assumed.has(known) {
                assumed.0.push(known);
            }
        }
        Ok(assumed)
    }

    pub(in crate::log::fleet::redis) fn has(&self, assumption: FleetAssumption) -> bool {
        self.0.contains(&assumption)
    }

    pub(in crate::log::fleet::redis) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|assumption| assumption.name())
    }
}
