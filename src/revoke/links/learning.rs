//! What is learnt from one token response, as a part of a commit of the log.

use std::time::Duration;

use super::{
    family::{Family, FamilyId, TokenName},
    tables::{Found, Room, Tables},
};
use crate::{
    introspect::Introspection,
    log::{Fault, NumericDate, Selector, Work},
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
    fn room(self) -> Room {
        let tenth = |of: u64| (of / 10).max(of.min(16));
        let per_client = self.per_client.unwrap_or(tenth(self.capacity));
        Room {
            capacity: self.capacity,
            per_client,
            per_subject: tenth(per_client),
        }
    }
}

/// The tokens of a response, and the refresh token of its request.
pub(super) struct Tokens {
    pub(super) access: AccessToken,
    pub(super) issued: Option<TokenName>,
    pub(super) presented: Option<TokenName>,
}

/// What is known of an access token in a response.
#[derive(Clone, Debug)]
pub(super) enum AccessToken {
    Known(Introspection),
    /// It is genuine, and of another API or kind. Others may accept it, until it expires.
    Unhandled(Option<NumericDate>),
    /// It is not accepted here.
    NotOurs,
    /// It could not be found out.
    Unknown,
}

impl AccessToken {
    pub(super) fn known(&self) -> Option<&Introspection> {
        match self {
            Self::Known(access) => Some(access),
            Self::Unhandled(_) | Self::NotOurs | Self::Unknown => None,
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
    if tokens.issued.or(tokens.presented).is_none() {
        return Ok(Learnt::Nothing);
    }
    let mut tables = Tables::open(work.transaction)?;
    tables.forget(work, now, EXPIRED_PER_RESPONSE)?;
    let expires = now.saturating_add(limits.lifetime.as_secs());
    let mut learning = Learning::look_up(work, &tables, tokens, now)?;
    if learning.families.is_empty() {
        let access = tokens.access.known().filter(|_| !learning.new.is_empty());
        let Some(access) = access else {
            return Ok(Learnt::Nothing);
        };
        let mut family = Family::new(access, expires);
        learning.add_to(&mut family, tokens, now);
        if !family.is_coverable() {
            return Ok(Learnt::Uncoverable);
        }
        if !tables.make_room(work, &family, limits.room())? {
            return Ok(Learnt::Full);
        }
        tables.insert(work, new_id(), &family)?;
        return Ok(Learnt::Linked);
    }
    let mut learnt = Learnt::Linked;
    for (id, mut family) in std::mem::take(&mut learning.families) {
        // Its refresh tokens and its expiry may change.
        tables.remove(work, id, &family)?;
        family.expires = family.expires.max(expires);
        learning.add_to(&mut family, tokens, now);
        // One that is not coverable stays, so that nothing else takes its refresh tokens over.
        tables.insert(work, id, &family)?;
        if !family.is_coverable() {
            learnt = Learnt::Uncoverable;
        }
    }
    Ok(learnt)
}

/// What the tables know of the refresh tokens of a response.
#[derive(Default)]
struct Learning {
    /// The families of the tokens, each once. A refresh token stays in its first family: the server
    /// that named it first is the one that issued it.
    families: Vec<(FamilyId, Box<Family>)>,
    /// The refresh tokens that are in no family yet, and when each was issued if that is known.
    new: Vec<(TokenName, Option<u64>)>,
    /// Whether a refresh token is older than its link. Access tokens that were issued for it before may be
    /// alive.
    has_past: bool,
}

impl Learning {
    fn look_up(
        work: &Work<'_>,
        tables: &Tables<'_>,
        tokens: &Tokens,
        now: u64,
    ) -> Result<Self, Fault> {
        let mut learning = Self::default();
        let presented = tokens.presented.map(|name| (name, true));
        let issued = tokens.issued.map(|name| (name, false));
        for (name, is_presented) in presented.into_iter().chain(issued) {
            match tables.find(work.key(), &name.digest)? {
                Found::Family(id, family) => {
                    let access = tokens.access.known();
                    if !access.is_none_or(|access| family.has_issuer_of(access)) {
                        // It is a refresh token of another issuer, and stays it.
                        learning.has_past = true;
                    } else if !learning.families.iter().any(|(known, _)| *known == id) {
                        learning.families.push((id, family));
                    }
                }
                Found::Nothing if !is_presented => learning.new.push((name, Some(now))),
                Found::Nothing | Found::Damaged => {
                    learning.has_past = true;
                    learning.new.push((name, None));
                }
            }
        }
        Ok(learning)
    }

    /// Adds the tokens of a response to a family of them.
    fn add_to(&self, family: &mut Family, tokens: &Tokens, now: u64) {
        match &tokens.access {
            AccessToken::Known(access) => family.add(access, now),
            AccessToken::Unhandled(exp) => family.add_unnamed(exp.map(NumericDate::seconds), now),
            AccessToken::NotOurs => {}
            AccessToken::Unknown => family.add_unnamed(None, now),
        }
        if self.has_past {
            family.add_unnamed(None, now);
        }
        for name in tokens.presented.into_iter().chain(tokens.issued) {
            let is_own = family.knows(&name);
            let new = self.new.iter().find(|(new, _)| *new == name);
            if is_own || new.is_some() {
                family.add_refresh_token(name, new.and_then(|(_, learnt)| *learnt));
            }
        }
    }
}

fn new_id() -> FamilyId {
    let mut id = FamilyId::default();
    getrandom::fill(&mut id).expect("the operating system has random numbers");
    id
}
