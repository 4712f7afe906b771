//! The responses to token requests that are not passed on.

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    body::Body,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, PRAGMA, RETRY_AFTER},
};

use super::{WatchedBody, count};

/// Why a token request gets no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The refresh token is revoked.
    Revoked,
    /// It is unknown whether it is revoked, or a link could not be stored.
    Unknown,
    /// The request cannot be read.
    Unreadable,
    /// Its body did not arrive in time.
    TimedOut,
}

impl Refusal {
    /// The response (RFC 6749 §5.2). Nothing of the request is in it.
    pub(super) fn response<B: Body>(self) -> Response<WatchedBody<B>> {
        let (result, status, body) = match self {
            Self::Revoked => (
                "refused",
                StatusCode::BAD_REQUEST,
                r#"{"error":"invalid_grant","error_description":"The refresh token is revoked"}"#,
            ),
            Self::Unreadable => (
                "unread",
                StatusCode::BAD_REQUEST,
                r#"{"error":"invalid_request","error_description":"The request cannot be read"}"#,
            ),
            Self::TimedOut => (
                "unread",
                StatusCode::REQUEST_TIMEOUT,
                r#"{"error":"invalid_request","error_description":"The request took too long"}"#,
            ),
            Self::Unknown => (
                "failed",
                StatusCode::SERVICE_UNAVAILABLE,
                r#"{"error":"temporarily_unavailable"}"#,
            ),
        };
        count(result);
        let mut response = Response::new(WatchedBody::whole(Bytes::from_static(body.as_bytes())));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        if self == Self::TimedOut {
            // The rest of the body is not the next request. HTTP/2 ignores the field.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
