//! Checks the head of a request before the body is polled.
//!
//! A peer that waits for `100 Continue` therefore gets the final response at once.

use hyper::{Method, Request, body::Body};

use super::{
    EndpointSettings,
    jsonp::Query,
    media_type::{Charset, MediaType, has_identity_coding},
};
use crate::{
    client::Authorization,
    error::{Error, ErrorKind},
    form,
};

/// What a request asks for, according to its head.
pub(super) enum Operation {
    /// `OPTIONS`
    Options,
    /// `POST` with a form.
    Revoke(Charset),
    /// `GET` of a script.
    Script(Query),
}

/// Steps 2 to 7: method, media type, content coding, length, query, one Authorization field.
pub(super) fn check<B: Body>(
    request: &Request<B>,
    settings: &EndpointSettings,
) -> Result<Operation, Error> {
    match *request.method() {
        Method::POST => {}
        Method::OPTIONS => return Ok(Operation::Options),
        Method::GET if settings.jsonp => {
            Authorization::at_most_one(request.headers())?;
            return Query::read(request.uri().query()).map(Operation::Script);
        }
        _ => return Err(Error::new(ErrorKind::MethodNotAllowed)),
    }
    let headers = request.headers();
    let (media_type, charset) = MediaType::of(headers)?;
    if media_type != MediaType::Form {
        return Err(Error::new(ErrorKind::UnsupportedMediaType));
    }
    if !has_identity_coding(headers) {
        return Err(Error::new(ErrorKind::UnsupportedContentCoding));
    }
    // Uses the body's size hint: with both framings present, Content-Length is not reliable.
    if request.body().size_hint().lower() > u64::try_from(settings.max_body).unwrap_or(u64::MAX) {
        return Err(Error::new(ErrorKind::BodyTooLarge));
    }
    if request.uri().query().is_some_and(form::query_has_secrets) {
        return Err(Error::invalid_request(
            "Tokens and secrets are not allowed in the query",
        ));
    }
    Authorization::at_most_one(headers)?;
    Ok(Operation::Revoke(charset))
}
