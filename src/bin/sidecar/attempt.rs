//! Reads a configuration with its files, wholly or not at all.

use tower_revocation::{
    enforce::Index,
    jose::RemoteKeys,
    log::{MemoryLog, RevocationLog},
    notify::{Notifier, Recipients},
    revoke::Handles,
    sightings::Sightings,
};

use crate::{
    args::Source,
    config::{Config, Origins, Problems},
    failure::Failure,
    files::Files,
    health::Health,
    parts::{Parts, Shared},
    store,
};

/// A configuration, and what it makes.
pub(crate) struct Attempt<L> {
    pub(crate) config: Config,
    pub(crate) origins: Origins,
    pub(crate) parts: Parts<L>,
}

/// Reads the configuration and makes its parts. An error names the lines.
///
/// `files` gets the files that were read, also after an error. It blocks.
pub(crate) fn attempt<L>(
    source: &Source,
    shared: &Shared<L>,
    files: &mut Files,
) -> Result<Attempt<L>, Failure>
where
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    let (config, origins) = source.read(files)?;
    let mut found = Problems::default();
    let parts = found.or_note(Parts::new(&config, shared, files));
    if !shared.is_open {
        found.or_note(store::check(&config));
    }
    match found.none_in(parts) {
        Ok(parts) => Ok(Attempt {
            config,
            origins,
            parts,
        }),
        Err(problems) => Err(Failure::from(problems).at(&origins)),
    }
}

/// Checks the configuration and the files that it names. It opens no log and asks no server.
pub(crate) fn check(source: &Source) -> Result<(Config, Origins), Failure> {
    let shared = Shared {
        log: MemoryLog::new(),
        is_open: false,
        index: Index::new(),
        keys: RemoteKeys::new(),
        replays: None,
        links: None,
        journal: None,
        sightings: Sightings::new(),
        // It names nothing: the configuration is only checked.
        handles: Handles::new([0; 32]),
        notifier: Notifier::new(Recipients::new()),
        health: Health::default(),
        pages: None,
        admin_address: None,
    };
    let attempt = attempt(source, &shared, &mut Files::default())?;
    Ok((attempt.config, attempt.origins))
}
