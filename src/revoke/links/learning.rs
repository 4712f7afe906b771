//! What is learnt from one token response, as a part of a commit of the log.

use std::time::Duration;

use super::{
    Digest,
    family::{Family, FamilyId},
    tables::Tables,
};
use crate::{
    introspect::Introspection,
    log::{Fault, Selector, Work},
};

/// How many expired families each response removes: more than it adds, and few enough for a request
/// to wait for.
const EXPIRED_PER_RESPONSE: usize = 4;

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) capacity: u64,
    pub(super) per_client: Option<u64>,
    pub(super) lifetime: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            capacity: 250_000,
            per_client: None,
            lifetime: Duration::from_secs(90 * 24 * 60 * 60),
        }
    }
}

impl Limits {
    fn per_client(self) -> u64 {
        let tenth = (self.capacity / 10).max(self.capacity.min(16));
        self.per_client.unwrap_or(tenth)
    }
}

/// The tokens of a response, and the refresh token of its request.
pub(super) struct Tokens {
    pub(super) access: AccessToken,
    pub(super) issued: Option<Digest>,
    pub(super) presented: Option<Digest>,
}

/// What is known of an access token in a response.
#[derive(Clone, Debug)]
pub(super) enum AccessToken {
    Known(Introspection),
    /// It is not accepted here.
    NotOurs,
    /// It could not be found out.
    Unknown,
}

impl AccessToken {
    pub(super) fn known(&self) -> Option<&Introspection> {
        match self {
            Self::Known(access) => Some(access),
            Self::NotOurs | Self::Unknown => None,
        }
    }

    /// The client whose share of the log's queue is used.
    pub(super) fn client(&self) -> Selector {
        Selector::client(self.known().map_or("", |access| &access.client_id))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learnt {
    Linked,
    /// There is no refresh token to link, or nothing to link it with.
    Nothing,
    /// No record could name the access token, so the refresh token is unknown.
    Uncoverable,
    Full,
}

pub(super) fn learn(
    work: &mut Work<'_>,
    tokens: &Tokens,
    now: u64,
    limits: Limits,
) -> Result<Learnt, Fault> {
    let Some(newest) = tokens.issued.or(tokens.presented) else {
        return Ok(Learnt::Nothing);
    };
    let mut tables = Tables::open(work.transaction)?;
    tables.forget(work, now, EXPIRED_PER_RESPONSE)?;
    let expires = now.saturating_add(limits.lifetime.as_secs());
    let known = known(work, &tables, tokens)?;
    let (id, mut family) = match (&known, tokens.access.known()) {
        (Some((id, family)), _) => (*id, family.clone()),
        (None, Some(access)) => (new_id(), Family::new(access, expires)),
        (None, None) => return Ok(Learnt::Nothing),
    };
    family.expires = family.expires.max(expires);
    match &tokens.access {
        AccessToken::Known(access) => family.add(access, now),
        AccessToken::NotOurs => {}
        AccessToken::Unknown => family.add_unknown(now),
    }
    if let Some((id, family)) = &known {
        // Its refresh tokens and its expiry may change.
        tables.remove(work, *id, family)?;
    }
    if !family.is_coverable() {
        return Ok(Learnt::Uncoverable);
    }
    // One that the family knows stays what it is.
    for digest in tokens.presented.into_iter().chain([newest]) {
        family.add_refresh_token(digest, now);
    }
    let quota = limits.per_client();
    if known.is_none() && !tables.make_room(work, &family, limits.capacity, quota)? {
        return Ok(Learnt::Full);
    }
    tables.insert(work, id, &family)?;
    Ok(Learnt::Linked)
}

/// The family of the presented refresh token, or of the issued one if the server issues the same
/// one again, if it is that of the same holder.
fn known(
    work: &Work<'_>,
    tables: &Tables<'_>,
    tokens: &Tokens,
) -> Result<Option<(FamilyId, Family)>, Fault> {
    for digest in tokens.presented.iter().chain(&tokens.issued) {
        let found = tables.find(work.key(), digest)?;
        let Some((id, family)) = found else { continue };
        let access = tokens.access.known();
        if access.is_none_or(|access| family.has_holder_of(access)) {
            return Ok(Some((id, family)));
        }
    }
    Ok(None)
}

fn new_id() -> FamilyId {
    let mut id = FamilyId::default();
    getrandom::fill(&mut id).expect("the operating system has random numbers");
    id
}
