//! Reads a configuration with its files, wholly or not at all.

use tower_revocation::{enforce::Index, jose::RemoteKeys, log::MemoryLog, log::RevocationLog};

use crate::{
    args::Source,
    config::{Config, Origins},
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

/// Reads the configuration and makes its parts. An error names the line.
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
    match Parts::new(&config, shared, files) {
        Ok(parts) => Ok(Attempt {
            config,
            origins,
            parts,
        }),
        Err(problem) => Err(Failure::from(problem).at(&origins)),
    }
}

/// Checks the configuration and the files that it names. It opens no log and asks no server.
pub(crate) fn check(source: &Source) -> Result<(Config, Origins), Failure> {
    let shared = Shared {
        log: MemoryLog::new(),
        index: Index::new(),
        keys: RemoteKeys::new(),
        replays: None,
        links: None,
        health: Health::default(),
        admin_address: None,
    };
    let attempt = attempt(source, &shared, &mut Files::default())?;
    let checked = store::check(&attempt.config);
    checked.map_err(|problem| Failure::from(problem).at(&attempt.origins))?;
    Ok((attempt.config, attempt.origins))
}
