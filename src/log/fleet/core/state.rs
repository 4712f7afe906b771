//! What the answers to polls and to appends both change.

use super::{
    healing::Healing, incarnations::Incarnations, members::Members, messages::NodeSettings,
    random::Random,
};

#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) incarnations: Incarnations,
    pub(super) members: Members,
    pub(super) healing: Healing,
    pub(super) random: Random,
    /// How many polls were sent.
    pub(super) polls: u64,
    /// The number of the last one that showed that the node is complete.
    pub(super) complete_by: u64,
}

impl State {
    pub(super) fn new(settings: &NodeSettings) -> Self {
        let mut random = Random::new(settings.seed);
        Self {
            incarnations: Incarnations::new(),
            members: Members::new(settings, random.number()),
            healing: Healing::new(),
            random,
            polls: 0,
            complete_by: 0,
        }
    }
}
