//! What a relay responds.

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
    },
};

use super::{
    super::{codec::MEDIA_TYPE, relay::Busy},
    FeedBody,
};

/// The longest time after which a leaf asks again, in seconds.
const LONGEST_PAUSE: u64 = 4;

pub(super) fn records(answer: Bytes) -> Response<FeedBody> {
    let media_type = HeaderValue::from_static(MEDIA_TYPE);
    with(StatusCode::OK, answer, [(CONTENT_TYPE, media_type)])
}

pub(super) fn not_found() -> Response<FeedBody> {
    text(StatusCode::NOT_FOUND, "there is no feed at this path", [])
}

pub(super) fn only_get() -> Response<FeedBody> {
    let allow = (ALLOW, HeaderValue::from_static("GET"));
    text(
        StatusCode::METHOD_NOT_ALLOWED,
        "the method must be GET",
        [allow],
    )
}

pub(super) fn unauthorized() -> Response<FeedBody> {
    let challenge = (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    text(
        StatusCode::UNAUTHORIZED,
        "the feed needs a bearer token",
        [challenge],
    )
}

pub(super) fn forbidden() -> Response<FeedBody> {
    text(StatusCode::FORBIDDEN, "the feed is not for this client", [])
}

pub(super) fn wrong(why: &'static str) -> Response<FeedBody> {
    text(StatusCode::BAD_REQUEST, why, [])
}

/// Not all of those who are refused together come back together.
pub(super) fn busy(busy: &Busy) -> Response<FeedBody> {
    let why = match busy {
        Busy::Leaves => "too many processes follow this relay",
        Busy::Snapshots => "too many processes read from the beginning",
        Busy::Answers => "too many answers are being sent",
        Busy::AskedAgain => "the same process has asked again",
        Busy::Engine => "the relay cannot reach the log",
    };
    let random = getrandom::u64().unwrap_or_default();
    let pause = HeaderValue::from(1 + random % LONGEST_PAUSE);
    text(StatusCode::SERVICE_UNAVAILABLE, why, [(RETRY_AFTER, pause)])
}

fn text<const N: usize>(
    status: StatusCode,
    text: &'static str,
    fields: [(HeaderName, HeaderValue); N],
) -> Response<FeedBody> {
    let plain = HeaderValue::from_static("text/plain");
    let mut response = with(status, Bytes::from_static(text.as_bytes()), fields);
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

fn with<const N: usize>(
    status: StatusCode,
    body: Bytes,
    fields: [(HeaderName, HeaderValue); N],
) -> Response<FeedBody> {
    let mut response = Response::new(FeedBody::new(body));
    *response.status_mut() = status;
    response.headers_mut().extend(fields);
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}
