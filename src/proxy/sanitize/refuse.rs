//! Which requests do not pass, because proxy and API could read them differently.

use hyper::{
    HeaderMap, Method, Request,
    header::{CONTENT_LENGTH, HeaderValue},
};

use super::{Rules, host::only_host};
use crate::proxy::{
    Error, ErrorKind,
    fields::{Coding, MAX_FIELDS, connection_options, is_needed},
};

impl Rules {
    /// Returns the host of a request that may pass.
    ///
    /// # Errors
    ///
    /// Fails if the request is malformed, ambiguous or too large.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<HeaderValue, Error> {
        let headers = request.headers();
        if headers.len() > self.max_fields.min(MAX_FIELDS) {
            let kind = ErrorKind::HeadTooLarge;
            return Err(Error::new(kind, "the request has too many header fields"));
        }
        if size(request) > self.max_head {
            let kind = ErrorKind::HeadTooLarge;
            return Err(Error::new(kind, "the head of the request is too large"));
        }
        let method = request.method();
        if method == Method::CONNECT {
            return Err(Error::bad_request("CONNECT needs a tunnel"));
        }
        // The API would respond with all fields of the request, also those that the client must not know.
        if method == Method::TRACE {
            return Err(Error::bad_request("TRACE is not forwarded"));
        }
        // `OPTIONS *` is about the server itself, and there is more than one here.
        if !request.uri().path().starts_with('/') {
            return Err(Error::bad_request("the target of the request has no path"));
        }
        check_framing(method, headers)?;
        if connection_options(headers).any(|name| is_needed(&name)) {
            let reason = "the request names a field in Connection that the API needs";
            return Err(Error::bad_request(reason));
        }
        let host = only_host(request);
        host.ok_or_else(|| Error::bad_request("the request does not name exactly one host"))
    }
}

/// Checks that the length of the body is stated once, and in a way that can be sent on.
fn check_framing(method: &Method, headers: &HeaderMap) -> Result<(), Error> {
    let coding = Coding::of(headers);
    let is_coded = coding != Coding::None;
    let lengths = headers.get_all(CONTENT_LENGTH).iter().count();
    if lengths > 1 || is_coded && lengths > 0 {
        let reason = "the request states the length of its body twice";
        return Err(Error::bad_request(reason));
    }
    match coding {
        Coding::None | Coding::Chunked => {}
        Coding::Repeated => {
            return Err(Error::bad_request(
                "the body of the request is chunked twice",
            ));
        }
        Coding::Other => {
            let reason = "the body of the request has another coding than chunked";
            return Err(Error::new(ErrorKind::UnknownCoding, reason));
        }
    }
    // hyper's client sends no body for these if its length is unknown.
    if is_coded && (method == Method::GET || method == Method::HEAD) {
        return Err(Error::bad_request(
            "the request is a GET with a chunked body",
        ));
    }
    Ok(())
}

/// The size of the target and the fields, as HTTP/1.1 writes them.
fn size<B>(request: &Request<B>) -> usize {
    let fields = request.headers().iter();
    let fields: usize = fields
        .map(|(name, value)| name.as_str().len() + ": \r\n".len() + value.len())
        .sum();
    let uri = request.uri();
    let target = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    fields + target
}
