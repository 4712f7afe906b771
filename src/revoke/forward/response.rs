//! What does an unsuccessful response of the other server mean for the client?

use std::time::Duration;

use hyper::{
    HeaderMap, StatusCode,
    header::{HeaderName, RETRY_AFTER},
};

use super::ForwardError;
use crate::{
    client::Credentials,
    error::{Error, ErrorKind},
    jose::Members,
    refusal::Refusal,
};

/// A longer `Retry-After` of the other server is shortened to this many seconds.
const MAX_RETRY_AFTER: u64 = 3600;

/// Returns the error for the client. What the other server says about the request is passed on.
/// What it says about itself becomes 503.
pub(super) fn error(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let code = code(body);
    let code = code.as_deref();
    let error = match (status, code) {
        (
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN,
            Some(code),
        ) => by_code(code),
        _ => None,
    };
    let is_about_itself = matches!(code, Some("temporarily_unavailable" | "server_error"));
    let error = error.or(match status {
        StatusCode::BAD_REQUEST if !is_about_itself => Some(Error::new(ErrorKind::InvalidRequest)),
        StatusCode::UNAUTHORIZED if !is_about_itself => Some(Error::refused(Refusal::Unspecified)),
        // A 403 without a code comes from something in front of the server, such as a firewall.
        _ => None,
    });
    let cause = ForwardError::status(status);
    if let Some(error) = error {
        return with_challenge(error, headers).caused_by(cause);
    }
    let error = unavailable(cause);
    match retry_after(headers) {
        Some(delay) => error.retry_after(delay),
        None => error,
    }
}

pub(super) fn unavailable(cause: ForwardError) -> Error {
    Error::new(ErrorKind::Unavailable).caused_by(cause)
}

/// Returns the `error` member of an error response.
pub(super) fn code(body: &[u8]) -> Option<String> {
    let object = Members::parse(body).ok()?;
    object.get("error")?.as_str().map(str::to_owned)
}

/// Maps the codes of RFC 6749 §5.2, RFC 7009 §2.2.1 and attestation-based client authentication.
fn by_code(code: &str) -> Option<Error> {
    let invalid = || Error::new(ErrorKind::InvalidRequest);
    Some(match code {
        "invalid_request" => invalid(),
        "invalid_client" => Error::refused(Refusal::Unspecified),
        "invalid_grant" | "invalid_token" => Error::new(ErrorKind::InvalidGrant),
        "unsupported_token_type" => Error::new(ErrorKind::UnsupportedTokenType),
        "unauthorized_client" => invalid().code("unauthorized_client"),
        "access_denied" => invalid().code("access_denied"),
        "use_attestation_challenge" => invalid().code("use_attestation_challenge"),
        "use_fresh_attestation" => invalid().code("use_fresh_attestation"),
        "invalid_client_attestation" => invalid().code("invalid_client_attestation"),
        _ => return None,
    })
}

/// Passes on the challenge that the next proof of possession needs.
fn with_challenge(error: Error, headers: &HeaderMap) -> Error {
    let name: HeaderName = Credentials::ATTESTATION_CHALLENGE;
    match headers.get(&name) {
        Some(challenge) => error.header(name, challenge.clone()),
        None => error,
    }
}

/// Reads `delay-seconds` (RFC 9110 §10.2.3). A date is ignored.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds.min(MAX_RETRY_AFTER)))
}
