//! Which sessions has a user?

use std::cmp::Reverse;

use hyper::http::request::Parts as Head;

use super::{Parts, respond::User};
use crate::{
    admin::{OwnSession, handle::HandlesOf},
    log::{NumericDate, Selector},
    sightings::{Sighting, State},
};

/// The live sessions of a user, the current one first.
pub(super) struct Sessions(Vec<Session>);

/// The sightings of one session.
struct Session {
    selector: Selector,
    is_current: bool,
    sightings: Vec<Sighting>,
}

impl<L> Parts<L> {
    /// The sessions of a user who sends a request with this head.
    pub(super) fn sessions(&self, user: &User, head: &Head) -> Sessions {
        let (headers, extensions) = (&head.headers, &head.extensions);
        self.sightings.note(&user.token, headers, extensions);
        let mut seen = self.sightings.of_subject(user.tenant(), &user.subject);
        let this = Sighting::of_request(&user.token, headers, extensions);
        let current = this.as_ref().map(Sighting::session);
        if let Some(this) = this {
            // It may not have been noted.
            if !seen.iter().any(|it| it.selector() == this.selector()) {
                seen.push(this);
            }
        }
        seen.retain(|it| it.state(&self.index) != State::Revoked);
        let mut sessions: Vec<Session> = Vec::new();
        for sighting in seen {
            let selector = sighting.session();
            match sessions.iter_mut().find(|it| it.selector == selector) {
                Some(session) => session.sightings.push(sighting),
                None => sessions.push(Session {
                    selector,
                    is_current: current == Some(selector),
                    sightings: vec![sighting],
                }),
            }
        }
        sessions.sort_by_key(|it| (!it.is_current, Reverse(it.last_use()), it.selector));
        Sessions(sessions)
    }
}

impl Sessions {
    /// The sessions that are not current.
    pub(super) fn others(&self) -> impl Iterator<Item = Selector> {
        let others = self.0.iter().filter(|session| !session.is_current);
        others.map(|session| session.selector)
    }

    pub(super) fn documents(&self, handles: &HandlesOf<'_>) -> Vec<OwnSession> {
        let sessions = self.0.iter();
        sessions.map(|session| session.document(handles)).collect()
    }
}

impl Session {
    fn last_use(&self) -> NumericDate {
        let uses = self.sightings.iter().map(|it| it.last_use);
        uses.max().unwrap_or(NumericDate::new(0))
    }

    fn document(&self, handles: &HandlesOf<'_>) -> OwnSession {
        let all = || self.sightings.iter();
        let latest = all().max_by_key(|it| it.last_use);
        let mut clients: Vec<_> = all().map(|it| it.client_id.clone()).collect();
        clients.sort();
        clients.dedup();
        let ends = all().map(|it| it.exp.unwrap_or(NumericDate::FOREVER));
        let end = ends.max().filter(|end| *end < NumericDate::FOREVER);
        let network = latest.and_then(|it| it.network);
        OwnSession {
            id: handles.seal(&self.selector),
            current: self.is_current,
            started: all()
                .filter_map(|it| it.iat)
                .min()
                .map(NumericDate::seconds),
            last_seen: self.last_use().seconds(),
            expires: end.map(NumericDate::seconds),
            browser: latest.map_or("other", |it| it.browser.as_str()).to_owned(),
            network: network.map(|network| network.to_string()),
            clients,
        }
    }
}
