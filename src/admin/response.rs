//! Responses: JSON that no cache keeps.

use hyper::{
    Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS},
};
use serde::Serialize;

use super::{AdminBody, problem::Refusal};
use crate::error::Error;

/// How long to wait before the next attempt, in seconds, if nothing else says.
pub(super) const RETRY_AFTER: u64 = 5;

pub(super) fn unavailable(error: &(dyn std::error::Error + 'static)) -> Refusal {
    let delay = Error::in_chain(error).and_then(Error::retry_delay);
    Refusal::Unavailable(delay.map_or(RETRY_AFTER, |delay| delay.as_secs().max(1)))
}

pub(super) fn json(status: StatusCode, document: &impl Serialize) -> Response<AdminBody> {
    let Ok(body) = serde_json::to_vec(document) else {
        return Refusal::Unavailable(RETRY_AFTER).response();
    };
    let mut response = Response::new(AdminBody::whole(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    protect(response)
}

/// No cache keeps the response, and no browser guesses what it is.
pub(super) fn protect(mut response: Response<AdminBody>) -> Response<AdminBody> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
