//! The responses of the endpoint. This is the only place that decides what the peer is told.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{self, HeaderValue},
};

use crate::{
    challenge,
    date::delay_seconds,
    error::{Error, ErrorKind},
};

/// The body of a successful response. Defaults to `Empty`.
///
/// Clients ignore the body (RFC 7009 §2.2), with two known exceptions: `simple-oauth2` requires a
/// JSON content type, and `@badgateway/oauth2-client` fails on an empty body with a JSON content
/// type. Both accept `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SuccessBody {
    /// No body and no `Content-Type`.
    #[default]
    Empty,
    /// `{}` as `application/json`.
    EmptyObject,
}

/// Creates the responses, as configured.
#[derive(Clone, Debug)]
pub(crate) struct Responder {
    /// `WWW-Authenticate`, with the realm.
    challenge: HeaderValue,
    /// Whether this endpoint accepts `client_secret_basic`.
    pub(crate) basic_enabled: bool,
    /// `Retry-After` of a 503 or 429 whose error has none.
    pub(crate) retry_after: Duration,
    success: SuccessBody,
    /// The methods of the endpoint.
    allow: HeaderValue,
}

/// What the response depends on in the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestInfo {
    /// Whether the request has an Authorization field. A failed authentication then requires a
    /// challenge (RFC 6749 §5.2).
    pub(super) authorization_used: bool,
    /// Whether `Connection: close` is allowed. HTTP/2 forbids it (RFC 9113 §8.2.2).
    pub(super) http_1: bool,
}

impl ErrorKind {
    /// The status, `error` and `error_description` of each kind.
    fn response(self) -> (StatusCode, &'static str, Option<&'static str>) {
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

impl Error {
    /// The `error` that the peer is told.
    pub(crate) fn code_for_peer(&self) -> &'static str {
        let (_, code, _) = self.kind().response();
        self.error_code().unwrap_or(code)
    }
}

impl Default for Responder {
    fn default() -> Self {
        Self {
            challenge: challenge::basic("oauth"),
            basic_enabled: true,
            retry_after: Duration::from_secs(1),
            success: SuccessBody::default(),
            allow: HeaderValue::from_static("POST, OPTIONS"),
        }
    }
}

impl Responder {
    /// # Panics
    ///
    /// Panics if `realm` contains anything but visible ASCII characters and spaces.
    pub(crate) fn realm(&mut self, realm: &str) {
        self.challenge = challenge::basic(realm);
    }

    /// Adds `GET` to the methods of the endpoint, or removes it.
    pub(crate) fn allow_get(&mut self, is_allowed: bool) {
        self.allow = HeaderValue::from_static(if is_allowed {
            "GET, POST, OPTIONS"
        } else {
            "POST, OPTIONS"
        });
    }

    pub(crate) fn success_body(&mut self, body: SuccessBody) {
        self.success = body;
    }

    /// 200: the token is not a live token of this client.
    ///
    /// Made for each request. To copy the fields of one that exists is faster, but a copy has no room
    /// for more fields, and hyper uses its memory for the fields of the next request.
    pub(super) fn success(&self) -> Response<Full<Bytes>> {
        match self.success {
            SuccessBody::Empty => {
                let mut response = respond(StatusCode::OK, Bytes::new());
                let none = HeaderValue::from_static("0");
                response.headers_mut().insert(header::CONTENT_LENGTH, none);
                response
            }
            SuccessBody::EmptyObject => json(StatusCode::OK, Bytes::from_static(b"{}")),
        }
    }

    /// The response to `OPTIONS` (RFC 9110 §9.3.7).
    pub(super) fn options(&self) -> Response<Full<Bytes>> {
        let mut response = respond(StatusCode::NO_CONTENT, Bytes::new());
        let allow = self.allow.clone();
        response.headers_mut().insert(header::ALLOW, allow);
        response
    }

    /// The response to a failure, with the error in its extensions.
    pub(super) fn failure(&self, error: Error, request: RequestInfo) -> Response<Full<Bytes>> {
        let (mut status, code, description) = error.kind().response();
        let challenge = request.authorization_used || self.basic_enabled;
        if error.kind() == ErrorKind::InvalidClient && !challenge {
            // A 401 requires a challenge (RFC 9110 §15.5.2), and no method here has one.
            status = StatusCode::BAD_REQUEST;
        }

        let code = error.error_code().unwrap_or(code);
        let description = error.error_description().or(description);
        let mut response = json(status, object(code, description));
        let headers = response.headers_mut();
        match error.kind() {
            ErrorKind::MethodNotAllowed => {
                headers.insert(header::ALLOW, self.allow.clone());
            }
            ErrorKind::UnsupportedMediaType => {
                headers.insert(header::ACCEPT, FORM);
            }
            ErrorKind::UnsupportedContentCoding => {
                headers.insert(header::ACCEPT_ENCODING, IDENTITY);
            }
            // The unread rest of the body must not be parsed as the next request.
            ErrorKind::BodyTooLarge | ErrorKind::BodyTimeout if request.http_1 => {
                headers.insert(header::CONNECTION, CLOSE);
            }
            ErrorKind::InvalidClient if challenge => {
                headers.insert(header::WWW_AUTHENTICATE, self.challenge.clone());
            }
            _ => {}
        }
        let retry_after = match error.kind() {
            ErrorKind::Unavailable | ErrorKind::TooManyRequests => {
                error.retry_delay().or(Some(self.retry_after))
            }
            _ => error.retry_delay(),
        };
        if let Some(retry_after) = retry_after {
            headers.insert(header::RETRY_AFTER, delay_seconds(retry_after));
        }
        if let Some((name, value)) = error.extra_header() {
            headers.append(name, value.clone());
        }
        response.extensions_mut().insert(error);
        response
    }
}

/// The response to a request that does not reach the endpoint.
#[cfg(feature = "profiles")]
pub(crate) fn failure(error: Error, http_1: bool) -> Response<Full<Bytes>> {
    let request = RequestInfo {
        authorization_used: false,
        http_1,
    };
    Responder::default().failure(error, request)
}

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
const CLOSE: HeaderValue = HeaderValue::from_static("close");
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Sets the headers of every response on the path: no caching, no content sniffing.
pub(crate) fn set_security_headers(headers: &mut HeaderMap) {
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
    set_security_headers(response.headers_mut());
    response
}

fn json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = respond(status, body);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// `{"error":"..","error_description":".."}`. The characters that RFC 6749 §5.2 allows need no
/// escapes in JSON.
fn object(code: &str, description: Option<&str>) -> Bytes {
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

/// A text with the same characters, for a string in a script.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(allowed).collect()
}

fn allowed(character: char) -> char {
    match character {
        ' '..='!' | '#'..='[' | ']'..='~' => character,
        _ => '?',
    }
}
