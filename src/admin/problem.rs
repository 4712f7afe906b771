//! Why an order is refused, and what the caller is told.

use hyper::{
    Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::{Deserialize, Serialize};

use super::{AdminBody, Role, response::protect};

/// The body of an error (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// The kind of problem. Always `about:blank`: the status says it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name of the status.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What is wrong.
    pub detail: String,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    BadRequest(&'static str),
    /// The document is wrong at this line and column.
    Document {
        line: usize,
        column: usize,
    },
    Unauthenticated,
    Forbidden(Role),
    Foreign(&'static str),
    NotFound,
    /// The resource needs a trail.
    NoTrail,
    Method(&'static str),
    /// The body has more bytes than this.
    TooLarge(usize),
    TimedOut,
    MediaType,
    /// The caller has sent too many requests. Try again after this many seconds.
    TooMany(u64),
    /// The order cannot be carried out.
    Unprocessable(&'static str),
    /// It could not be found out, or may have failed. Try again after this many seconds.
    Unavailable(u64),
    /// The same, with the cause, for those who repair it.
    Failed {
        seconds: u64,
        cause: String,
    },
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) | Self::Document { .. } => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::Foreign(_) => StatusCode::FORBIDDEN,
            Self::NotFound | Self::NoTrail => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable(_) | Self::Failed { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(super) fn detail(&self) -> String {
        let detail = match self {
            Self::BadRequest(detail) | Self::Foreign(detail) | Self::Unprocessable(detail) => {
                detail
            }
            Self::Document { line, column } => {
                return format!("the body is not such a document, at line {line} column {column}");
            }
            Self::Unauthenticated => "a token or a certificate of an operator is needed",
            Self::Forbidden(role) => return format!("the role {} is needed", role.as_str()),
            Self::NotFound => "there is no such resource",
            Self::NoTrail => "the server keeps no orders",
            Self::Method(_) => "the method is not allowed",
            Self::TooLarge(limit) => {
                return format!("the body is longer than {} KiB", limit / 1024);
            }
            Self::TimedOut => "the body did not arrive in time",
            Self::MediaType => "the body must be application/json, without a content coding",
            Self::TooMany(_) => "there were too many requests of this caller; try again later",
            Self::Unavailable(_) => "it could not be found out, or may have failed; try again",
            Self::Failed { cause, .. } => return format!("it could not be found out: {cause}"),
        };
        detail.to_owned()
    }

    pub(super) fn problem(&self) -> Problem {
        let status = self.status();
        Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: self.detail(),
        }
    }

    pub(super) fn response(&self) -> Response<AdminBody> {
        let status = self.status();
        let problem = self.problem();
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = Response::new(AdminBody::whole(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        match self {
            Self::Unauthenticated => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Method(allowed) => {
                headers.insert(ALLOW, HeaderValue::from_static(allowed));
            }
            Self::TooMany(seconds) | Self::Unavailable(seconds) | Self::Failed { seconds, .. } => {
                headers.insert(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            _ => {}
        }
        protect(response)
    }
}
