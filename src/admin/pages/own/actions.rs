//! What a user can do: end a session, end all others, and revoke a token.

use hyper::{StatusCode, http::request::Parts};

use super::visit::Visit;
use crate::admin::{
    InspectionOrder, OthersRevoked,
    pages::{
        api::Call,
        failure::Failure,
        form::Fields,
        respond::{Page, see_other},
    },
    problem::Refusal,
};

pub(super) async fn end(
    visit: &Visit<'_>,
    head: &Parts,
    mut fields: Fields,
) -> Result<Page, Failure> {
    let id = fields.text("session")?.unwrap_or_default();
    // Anything else is no identifier, and would be another path.
    let is_handle = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if id.is_empty() || !id.bytes().all(is_handle) {
        return Err(Refusal::BadRequest("the form has no session").into());
    }
    let call = Call::delete(&format!("/v1/me/sessions/{id}"));
    match visit.send(call, head).await {
        Ok(()) => Ok(done(visit, "The session has ended.")),
        Err(failure) if failure.status == StatusCode::NOT_FOUND => {
            let detail = "the session was not found, and nothing has ended: go back, reload the page, \
                          and try again";
            Err(Failure::new(failure.status, detail))
        }
        Err(failure) => Err(failure),
    }
}

pub(super) async fn end_others(visit: &Visit<'_>, head: &Parts) -> Result<Page, Failure> {
    let call = Call::post("/v1/me/sessions:revoke-others", &());
    visit.read::<OthersRevoked>(call, head).await?;
    let notice = "All other sessions that were seen here have ended.";
    Ok(done(visit, notice))
}

pub(super) async fn revoke(
    visit: &Visit<'_>,
    head: &Parts,
    mut fields: Fields,
) -> Result<Page, Failure> {
    let order = InspectionOrder::new(fields.token()?);
    visit
        .send(Call::post("/v1/me/tokens:revoke", &order), head)
        .await?;
    Ok(done(visit, "The token is revoked."))
}

/// The next page says it once. No link can make a page say it.
fn done(visit: &Visit<'_>, notice: &'static str) -> Page {
    visit.session(|session| session.notice = Some(notice));
    see_other(&visit.pages.shared.path)
}
