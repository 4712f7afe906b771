//! `GET /v1/openapi.json`.

use hyper::{
    Response,
    header::{CONTENT_TYPE, HeaderValue},
    http::request::Parts,
};

use super::{AdminBody, Caller, Role, problem::Refusal, request::no_query, response::protect};

/// Tests compare it with what the service does.
const DESCRIPTION: &str = include_str!("openapi.json");

/// Describes the calls (`OpenAPI` 3.1).
pub(super) fn describe(caller: &Caller, head: &Parts) -> Result<Response<AdminBody>, Refusal> {
    caller.needs(Role::Viewer)?;
    no_query(head)?;
    let mut response = Response::new(AdminBody::whole(DESCRIPTION));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(protect(response))
}
