//! Responses to browsers.

use askama::Template;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
        LOCATION, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
    },
};

use super::{failure::Failure, frame::Frame};

pub(super) type Page = Response<Full<Bytes>>;

/// Nothing is loaded but the style sheet, no script runs, and forms are sent only to this origin.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; \
                              frame-ancestors 'none'; base-uri 'none'";

/// A page.
pub(super) fn html(template: &impl Template) -> Result<Page, Failure> {
    let text = template.render().map_err(|_| Failure::internal())?;
    let mut response = Response::new(Full::from(text));
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

/// The page to show after a form: a reload does not send the form again.
pub(super) fn see_other(path: &str) -> Page {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(path) = HeaderValue::try_from(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

/// The page of a problem.
pub(super) fn problem(failure: &Failure, frame: Frame) -> Page {
    #[derive(Template)]
    #[template(path = "problem.html")]
    struct Problem<'a> {
        frame: Frame,
        title: &'a str,
        detail: &'a str,
        retry_after: Option<u64>,
    }

    let page = html(&Problem {
        frame,
        title: title(failure.status),
        detail: &failure.detail,
        retry_after: failure.retry_after,
    });
    let mut response = page.unwrap_or_else(|_| Response::new(Full::from("The page failed.")));
    *response.status_mut() = failure.status;
    let headers = response.headers_mut();
    if let Some(seconds) = failure.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(allowed) = failure.allowed {
        headers.insert(ALLOW, HeaderValue::from_static(allowed));
    }
    response
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "This cannot be done",
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::TOO_MANY_REQUESTS => "Too many attempts",
        StatusCode::SERVICE_UNAVAILABLE => "Try again later",
        _ => "A problem",
    }
}

/// What every response has. Only the style sheet is kept by caches.
pub(super) fn protect(mut response: Page) -> Page {
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With `no-referrer`, browsers would not name the origin of a form.
        (REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
