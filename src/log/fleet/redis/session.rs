//! One connection to the primary, set up and checked.

use super::{
    checks,
    fault::Fault,
    login,
    proof::Proof,
    scripts::{self, Loaded},
    settings::{Host, Settings},
    wire::Wire,
};

pub(super) struct Session {
    pub(super) wire: Wire,
    /// Which host of the URL has led to it.
    pub(super) entry: usize,
    /// See [`Target::keeps`](super::target::Target::keeps).
    pub(super) generation: u64,
    pub(super) scripts: Loaded,
    pub(super) proof: Proof,
}

impl Session {
    pub(super) async fn open(
        host: &Host,
        entry: usize,
        settings: &Settings,
    ) -> Result<Self, Fault> {
        let mut wire = Wire::connect(host, settings).await?;
        login::authenticate(&mut wire, settings).await?;
        login::introduce(&mut wire, settings).await?;
        let proof = checks::server(&mut wire, settings).await?;
        let loaded = wire.ask(&scripts::load()).await?;
        Ok(Self {
            scripts: Loaded::read(loaded, &wire.place)?,
            wire,
            entry,
            generation: 0,
            proof,
        })
    }
}
