//! `sign-in` and `sign-out`.

use askama::Template;
use hyper::{
    StatusCode,
    body::Body,
    header::{HeaderValue, SET_COOKIE},
    http::request::Parts,
};
use sha2::{Digest as _, Sha256};
use tower::BoxError;

use super::{service::OwnPages, visit::Visit};
use crate::{
    admin::{
        OwnSessionsList,
        pages::{
            api::Call,
            failure::Failure,
            form::Fields,
            frame::Frame,
            respond::{Page, html, see_other},
            visit::{Cookie, Id},
        },
    },
    client,
    token::Secret,
};

/// Names the session of a user.
pub(super) const SESSION: Cookie = Cookie("__Host-revocation-user");
/// Names the browser that has the form of the sign-in. See the one of the operators.
const BEFORE: Cookie = Cookie("__Host-revocation-user-form");

/// What is kept of a user who has signed in.
pub(in super::super) struct OwnToken {
    /// The token that was typed. `None` if each request has one.
    pub(super) typed: Option<Secret>,
    /// What was just done, for the next page.
    pub(super) notice: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "own_sign_in.html")]
struct SignIn {
    frame: Frame,
    has_failed: bool,
    has_ended: bool,
}

/// The form.
pub(super) fn form(pages: &OwnPages, head: &Parts) -> Result<Page, Failure> {
    let id = match BEFORE.read(&head.headers) {
        Some(id) => id,
        None => Id::random()?,
    };
    let has_ended = head.uri.query() == Some("ended");
    page(pages, &id, false, has_ended)
}

fn page(pages: &OwnPages, id: &Id, has_failed: bool, has_ended: bool) -> Result<Page, Failure> {
    let form_token = pages.shared.sessions.key().token(id);
    let mut page = html(&SignIn {
        frame: pages.anonymous(form_token),
        has_failed,
        has_ended,
    })?;
    set_cookie(&mut page, BEFORE.set(id));
    if has_failed {
        *page.status_mut() = StatusCode::FORBIDDEN;
    }
    Ok(page)
}

/// Makes a session of a token that is live.
pub(super) async fn sign_in<B>(pages: &OwnPages, head: &Parts, body: B) -> Result<Page, Failure>
where
    B: Body<Data: Send, Error: Into<BoxError>>,
{
    let sessions = &pages.shared.sessions;
    let mut fields = Fields::of_body(&head.headers, body).await?;
    let form_token = fields.take("form_token")?;
    let before = BEFORE.read(&head.headers);
    let before = before.ok_or_else(Failure::without_cookie)?;
    let is_own = form_token.is_some_and(|it| sessions.key().is_token(it.expose(), &before));
    if !is_own {
        return Err(Failure::foreign_form());
    }
    let token = fields.token()?;
    let address = client::origin(&head.extensions);
    let begun = sessions.user_attempts().begin(address);
    begun.map_err(Failure::too_many_attempts)?;
    let call = Call::get("/v1/me/sessions").bearer(&token).of(head);
    match pages.api.read::<OwnSessionsList>(call).await {
        Ok(_) => sessions.user_attempts().succeeded(address),
        Err(failure) if failure.status == StatusCode::UNAUTHORIZED => {
            return page(pages, &before, true, false);
        }
        // It is no guess.
        Err(failure) => {
            sessions.user_attempts().succeeded(address);
            return Err(failure);
        }
    }
    let id = Id::random()?;
    begin(pages, head, &id, Some(token));
    let mut page = see_other(&pages.shared.path);
    set_cookie(&mut page, SESSION.set(&id));
    set_cookie(&mut page, BEFORE.clear());
    Ok(page)
}

/// Begins a session. All those from one address have a share of the table.
pub(super) fn begin(pages: &OwnPages, head: &Parts, id: &Id, typed: Option<Secret>) {
    let address = client::origin(&head.extensions);
    let owner = Sha256::digest(format!("{address:?}")).into();
    let sessions = pages.shared.sessions.users();
    let token = OwnToken {
        typed,
        notice: None,
    };
    sessions.begin_as(id, owner, token);
}

/// Ends the session of a browser, whose token lives on.
pub(super) fn sign_out(visit: &Visit<'_>, to: &str) -> Page {
    visit.pages.shared.sessions.users().end(&visit.id);
    let mut page = see_other(&visit.pages.below(to));
    set_cookie(&mut page, SESSION.clear());
    page
}

fn set_cookie(page: &mut Page, cookie: HeaderValue) {
    page.headers_mut().append(SET_COOKIE, cookie);
}
