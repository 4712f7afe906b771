//! The one table of what the peer is told.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{self, HeaderValue},
};

use super::error::{Error, ErrorKind};

/// What a successful answer has for a body.
///
/// RFC 7009 §2.2 has clients ignore it. Nearly all do; `simple-oauth2` insists on a JSON type, and
/// an empty body with a JSON type breaks `@badgateway/oauth2-client`, so `{}` is the one body that
/// every client known to us accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SuccessBody {
    /// No body and no `Content-Type`.
    #[default]
    Empty,
    /// `{}` as `application/json`.
    EmptyObject,
}

/// What an answer depends on besides the error itself.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// `WWW-Authenticate`, with the realm.
    challenge: HeaderValue,
    /// Whether `client_secret_basic` is among the methods of this endpoint.
    pub(crate) basic_enabled: bool,
    /// `Retry-After` of a 503 or a 429 that knows no better.
    pub(crate) retry_after: Duration,
    pub(crate) success_body: SuccessBody,
}

/// What an answer depends on in the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    /// The peer used the Authorization field, so it is owed a challenge (RFC 6749 §5.2).
    pub(super) authorization_used: bool,
    /// The connection can be closed by a field (RFC 9113 §8.2.2 forbids it in HTTP/2).
    pub(super) http_1: bool,
}

impl ErrorKind {
    /// The table: status, `error`, `error_description`.
    fn told(self) -> (StatusCode, &'static str, Option<&'static str>) {
        match self {
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "invalid_request", None),
            Self::UnsupportedMediaType | Self::UnsupportedContentCoding => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request", None)
            }
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", None),
            Self::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, "invalid_request", None),
            Self::InvalidRequest => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                Some("The request is malformed"),
            ),
            Self::InvalidClient => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                Some("Client authentication failed"),
            ),
            Self::InvalidGrant => (
                StatusCode::BAD_REQUEST,
                "invalid_grant",
                Some("The token was issued to another client"),
            ),
            Self::UnsupportedTokenType => (
                StatusCode::BAD_REQUEST,
                "unsupported_token_type",
                Some("Tokens of this type cannot be revoked here"),
            ),
            Self::TooManyRequests => (
                StatusCode::TOO_MANY_REQUESTS,
                "temporarily_unavailable",
                None,
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                None,
            ),
            Self::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "server_error", None),
        }
    }
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            challenge: challenge("oauth"),
            basic_enabled: true,
            retry_after: Duration::from_secs(1),
            success_body: SuccessBody::default(),
        }
    }
}

impl Manner {
    /// # Panics
    ///
    /// If `realm` has other than visible ASCII characters and spaces.
    pub(crate) fn realm(&mut self, realm: &str) {
        self.challenge = challenge(realm);
    }

    /// 200: the token is not, or no longer, a live token of this client.
    pub(super) fn success(&self) -> Response<Full<Bytes>> {
        let mut response = match self.success_body {
            SuccessBody::Empty => respond(StatusCode::OK, Bytes::new()),
            SuccessBody::EmptyObject => json(StatusCode::OK, Bytes::from_static(b"{}")),
        };
        if self.success_body == SuccessBody::Empty {
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        response
    }

    /// The answer to `OPTIONS` (RFC 9110 §9.3.7).
    pub(super) fn options() -> Response<Full<Bytes>> {
        let mut response = respond(StatusCode::NO_CONTENT, Bytes::new());
        response.headers_mut().insert(header::ALLOW, ALLOW);
        response
    }

    /// The answer to a failure. The error itself rides along in the extensions.
    pub(super) fn failure(
        &self,
        error: Error,
        circumstances: Circumstances,
    ) -> Response<Full<Bytes>> {
        let (mut status, code, description) = error.kind().told();
        let challenge = circumstances.authorization_used || self.basic_enabled;
        if error.kind() == ErrorKind::InvalidClient && !challenge {
            // A 401 must name a way in (RFC 9110 §15.5.2), and there is none.
            status = StatusCode::BAD_REQUEST;
        }

        let code = error.code().unwrap_or(code);
        let description = error.description().or(description);
        let mut response = json(status, object(code, description));
        let headers = response.headers_mut();
        match error.kind() {
            ErrorKind::MethodNotAllowed => {
                headers.insert(header::ALLOW, ALLOW);
            }
            ErrorKind::UnsupportedMediaType => {
                headers.insert(header::ACCEPT, FORM);
            }
            ErrorKind::UnsupportedContentCoding => {
                headers.insert(header::ACCEPT_ENCODING, IDENTITY);
            }
            // The rest of the body is on its way, and must not be taken for the next request.
            ErrorKind::BodyTooLarge | ErrorKind::BodyTimeout if circumstances.http_1 => {
                headers.insert(header::CONNECTION, CLOSE);
            }
            ErrorKind::InvalidClient if challenge => {
                headers.insert(header::WWW_AUTHENTICATE, self.challenge.clone());
            }
            _ => {}
        }
        let retry_after = match error.kind() {
            ErrorKind::Unavailable | ErrorKind::TooManyRequests => {
                error.retry_after().or(Some(self.retry_after))
            }
            _ => error.retry_after(),
        };
        if let Some(retry_after) = retry_after {
            headers.insert(header::RETRY_AFTER, whole_seconds(retry_after));
        }
        if let Some((name, value)) = error.header() {
            headers.append(name, value.clone());
        }
        response.extensions_mut().insert(error);
        response
    }
}

const ALLOW: HeaderValue = HeaderValue::from_static("POST, OPTIONS");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
const CLOSE: HeaderValue = HeaderValue::from_static("close");
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `Basic realm="..", charset="UTF-8"` (RFC 7617 §2).
///
/// # Panics
///
/// If `realm` has other than visible ASCII characters and spaces.
fn challenge(realm: &str) -> HeaderValue {
    HeaderValue::try_from(format!(r#"Basic realm={}, charset="UTF-8""#, quoted(realm)))
        .expect("visible ASCII characters make a field value")
}

/// A realm as a `quoted-string` (RFC 9110 §11.5).
///
/// # Panics
///
/// If it has other than visible ASCII characters and spaces.
pub(crate) fn quoted(realm: &str) -> String {
    assert!(
        realm.bytes().all(|octet| matches!(octet, 0x20..=0x7e)),
        "a realm is made of visible ASCII characters and spaces"
    );
    format!("\"{}\"", realm.replace('\\', r"\\").replace('"', "\\\""))
}

/// What every answer on the path says: do not keep it, and do not guess what it is.
pub(super) fn seal(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
}

fn respond(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    seal(response.headers_mut());
    response
}

fn json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = respond(status, body);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// `{"error":"..","error_description":".."}`. What may stand in the two (RFC 6749 §5.2) needs no
/// escape in JSON.
fn object(code: &str, description: Option<&str>) -> Bytes {
    let allowed = |character: char| match character {
        ' '..='!' | '#'..='[' | ']'..='~' => character,
        _ => '?',
    };
    let mut object = String::with_capacity(96);
    object.push_str(r#"{"error":""#);
    object.extend(code.chars().map(allowed));
    if let Some(description) = description {
        object.push_str(r#"","error_description":""#);
        object.extend(description.chars().map(allowed));
    }
    object.push_str(r#""}"#);
    object.into()
}

/// `delay-seconds` has no fraction: a little late is better than too early.
pub(crate) fn whole_seconds(duration: Duration) -> HeaderValue {
    let seconds = duration
        .as_secs()
        .saturating_add(u64::from(duration.subsec_nanos() > 0));
    HeaderValue::from(seconds)
}
