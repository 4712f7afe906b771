//! The first page: the sessions of the user.

use askama::Template;
use hyper::http::request::Parts;

use super::visit::Visit;
use crate::admin::{
    OwnSessionsList,
    pages::{
        api::Call,
        failure::Failure,
        frame::Frame,
        respond::{Page, html},
        seen,
        shown::{Date, Name},
    },
};

#[derive(Template)]
#[template(path = "own.html")]
struct Own {
    frame: Frame,
    since: Option<Date>,
    sessions: Vec<Session>,
    has_others: bool,
    /// What was just done.
    notice: Option<&'static str>,
}

struct Session {
    id: String,
    is_current: bool,
    browser: &'static str,
    network: Name,
    clients: Name,
    started: Option<Date>,
    last_seen: Option<Date>,
    expires: Option<Date>,
}

pub(super) async fn list(visit: &Visit<'_>, head: &Parts) -> Result<Page, Failure> {
    let list: OwnSessionsList = visit.read(Call::get("/v1/me/sessions"), head).await?;
    let sessions = list.sessions.into_iter().map(|session| Session {
        id: session.id,
        is_current: session.current,
        browser: seen::browser(&session.browser),
        network: Name(session.network.unwrap_or_else(|| "unknown".to_owned())),
        clients: Name(session.clients.join(", ")),
        started: session.started.and_then(Date::new),
        last_seen: Date::new(session.last_seen),
        expires: session.expires.and_then(Date::new),
    });
    let sessions: Vec<_> = sessions.collect();
    html(&Own {
        frame: visit.frame(),
        since: Date::new(list.seen_here_since),
        has_others: sessions.iter().any(|session| !session.is_current),
        sessions,
        notice: visit.session(|session| session.notice.take()).flatten(),
    })
}
