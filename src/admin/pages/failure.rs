//! Why a page shows a problem instead.

use hyper::StatusCode;

use crate::admin::{Problem, problem::Refusal};

/// What a visitor is told instead of the page.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) detail: String,
    /// When to try again, in seconds.
    pub(super) retry_after: Option<u64>,
    /// The methods of the page, if the request had another one.
    pub(super) allowed: Option<&'static str>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            retry_after: None,
            allowed: None,
        }
    }

    /// A form that no page of this session contains.
    pub(super) fn foreign_form() -> Self {
        let detail = "the form is not one of this session: go back, reload the page, and try again";
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// A form of a session that has ended.
    pub(super) fn signed_out() -> Self {
        let detail = "your session has ended: sign in, and try again";
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// A form of a sign-in without its cookie.
    pub(super) fn without_cookie() -> Self {
        let detail =
            "your browser has not sent the cookie of the form: allow cookies, and use https";
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    pub(super) fn too_many_attempts(seconds: u64) -> Self {
        let detail = "there were too many failed attempts to sign in";
        Self {
            retry_after: Some(seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
        }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such page")
    }

    /// The system has no random numbers, or a template fails.
    pub(super) fn internal() -> Self {
        let detail = "the page could not be made; try again";
        Self {
            retry_after: Some(crate::admin::response::RETRY_AFTER),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let (retry_after, allowed) = match &refusal {
            Refusal::Unavailable(seconds) => (Some(*seconds), None),
            Refusal::Method(allowed) => (None, Some(*allowed)),
            _ => (None, None),
        };
        Self {
            retry_after,
            allowed,
            ..Self::new(refusal.status(), refusal.detail())
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status);
        let status = status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        Self::new(status, problem.detail)
    }
}

impl From<getrandom::Error> for Failure {
    fn from(_: getrandom::Error) -> Self {
        Self::internal()
    }
}
