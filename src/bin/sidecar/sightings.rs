//! Which tokens were used here, and what users are told about their own.

use tower_revocation::{
    admin::OwnSessions,
    enforce::EnforcementLayer,
    log::RevocationLog,
    revoke::{Administration, Handles},
    sightings::Sightings,
};

use crate::{
    config::{Config, Me, Problem, Sightings as Limits},
    files::Files,
    gateway::{Inner, erased},
    parts::Shared,
    tokens::Introspect,
};

/// The limits of the configuration that is in use now.
pub(crate) fn limit(sightings: &Sightings, limits: &Limits) {
    // Clones share them.
    let _ = sightings
        .clone()
        .capacity(limits.capacity)
        .per_subject(limits.per_subject)
        .idle_after(limits.idle_after);
}

/// What makes identifiers of sessions and tokens.
pub(crate) fn handles<L>(
    config: &Config,
    shared: &Shared<L>,
    files: &mut Files,
) -> Result<Handles, Problem> {
    let limits = config.sightings.as_ref();
    let Some(path) = limits.and_then(|limits| limits.key_file.as_ref()) else {
        return Ok(shared.handles.clone());
    };
    let key = "sightings.key_file";
    let text = files.secret(key, path)?;
    let bytes = key_of(text.expose());
    let bytes = bytes.ok_or_else(|| {
        let reason = "expected 64 hexadecimal digits, as of `openssl rand -hex 32`";
        Problem::new(key, format!("{}: {reason}", path.display()))
    })?;
    Ok(Handles::new(bytes))
}

fn key_of(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; 32];
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(key)
}

/// The calls of users about their own sessions, and their pages. Each with what its paths begin with.
pub(crate) fn own_sessions<L>(
    me: &Me,
    shared: &Shared<L>,
    handles: Handles,
    administration: Administration<L>,
    enforcement: EnforcementLayer<Introspect>,
    introspect: Introspect,
) -> Vec<(String, Inner)>
where
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    let (index, sightings) = (shared.index.clone(), shared.sightings.clone());
    let mut own = OwnSessions::new(
        enforcement,
        index,
        introspect,
        administration,
        sightings,
        handles,
    );
    if let Some(scope) = &me.scope {
        own = own.scope(scope);
    }
    if !me.cors.is_empty() {
        own = own.cors(me.cors.iter().cloned());
    }
    let mut services = Vec::new();
    if let (Some(path), Some(memory)) = (&me.pages, &shared.pages) {
        services.push((
            path.clone(),
            erased(memory.own_pages(me, path, own.clone())),
        ));
    }
    services.push((me.path.clone(), erased(own.path(&*me.path))));
    services
}
