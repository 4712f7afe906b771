//! `/sign-in` and `/sign-out`.

use std::sync::Arc;

use askama::Template;
use hyper::{
    HeaderMap, StatusCode,
    body::Body,
    header::{HeaderValue, SET_COOKIE},
    http::request::Parts,
};
use sha2::{Digest as _, Sha256};
use tower::BoxError;

use super::{pending::PendingOrders, service::AdminPages, visit::Visit};
use crate::{
    admin::{
        observe,
        pages::{
            failure::Failure,
            form::Fields,
            frame::Frame,
            respond::{Page, html, see_other},
            visit::{Cookie, Id},
        },
        problem::Refusal,
    },
    client,
};

/// Names the session of an operator.
pub(super) const SESSION: Cookie = Cookie("__Host-revocation-operator");
/// Names the browser that has the form of the sign-in. It is not the other cookie: a request that
/// follows a link of another site has no cookie, and would end the session.
const BEFORE: Cookie = Cookie("__Host-revocation-operator-form");

/// What is kept of an operator who has signed in.
pub(in super::super) struct SignedIn {
    pub(super) by: By,
    pub(super) orders: PendingOrders,
}

/// Why it is this operator. Each request checks it again.
#[derive(Clone)]
pub(super) enum By {
    /// The SHA-256 of a token.
    Token([u8; 32]),
    /// A certificate or a proxy says the name.
    Name(Arc<str>),
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
    has_failed: bool,
}

/// The form.
pub(super) fn form(pages: &AdminPages, headers: &HeaderMap) -> Result<Page, Failure> {
    let id = match BEFORE.read(headers) {
        Some(id) => id,
        None => Id::random()?,
    };
    page(pages, &id, false)
}

fn page(pages: &AdminPages, id: &Id, has_failed: bool) -> Result<Page, Failure> {
    let form_token = pages.shared.sessions.key().token(id);
    let mut page = html(&SignIn {
        frame: Frame::operator("sign-in", form_token),
        has_failed,
    })?;
    set_cookie(&mut page, BEFORE.set(id));
    if has_failed {
        *page.status_mut() = StatusCode::FORBIDDEN;
    }
    Ok(page)
}

/// Makes a session of a token.
pub(super) async fn sign_in<B>(pages: &AdminPages, head: &Parts, body: B) -> Result<Page, Failure>
where
    B: Body<Data: Send, Error: Into<BoxError>>,
{
    let sessions = &pages.shared.sessions;
    let mut fields = Fields::of_body(&head.headers, body).await?;
    let form_token = fields.take("form_token")?;
    let before = BEFORE
        .read(&head.headers)
        .ok_or_else(Failure::without_cookie)?;
    let is_own = form_token.is_some_and(|it| sessions.key().is_token(it.expose(), &before));
    if !is_own {
        return Err(Failure::foreign_form());
    }
    let token = fields.token()?;
    let address = client::origin(&head.extensions);
    let begun = sessions.operator_attempts().begin(address);
    begun.map_err(Failure::too_many_attempts)?;
    let token: [u8; 32] = Sha256::digest(token.expose()).into();
    let Some(caller) = pages.shared.access.caller_of_digest(&token) else {
        observe::refused(&Refusal::Unauthenticated, None);
        return page(pages, &before, true);
    };
    sessions.operator_attempts().succeeded(address);
    observe::signed_in(caller.name());
    let id = begin(pages, By::Token(token))?;
    let mut page = see_other("/");
    set_cookie(&mut page, SESSION.set(&id));
    set_cookie(&mut page, BEFORE.clear());
    Ok(page)
}

/// Begins a session.
pub(super) fn begin(pages: &AdminPages, by: By) -> Result<Id, Failure> {
    let owner = match &by {
        By::Token(digest) => *digest,
        By::Name(name) => Sha256::digest(&**name).into(),
    };
    let orders = PendingOrders::default();
    let sessions = pages.shared.sessions.operators();
    Ok(sessions.begin(owner, SignedIn { by, orders })?)
}

pub(super) fn sign_out(visit: &Visit<'_>) -> Page {
    visit.pages.shared.sessions.operators().end(&visit.id);
    let mut page = see_other("/sign-in");
    set_cookie(&mut page, SESSION.clear());
    page
}

fn set_cookie(page: &mut Page, cookie: HeaderValue) {
    page.headers_mut().append(SET_COOKIE, cookie);
}
