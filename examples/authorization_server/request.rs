//! A form that an authenticated client posts, and the error responses (RFC 6749 §5.2).

use std::{
    any::Any, collections::HashMap, error::Error as StdError, iter::successors, sync::Arc,
    time::Duration,
};

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{self, HeaderName},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes as RawBytes;
use http_body_util::Full;
use serde_json::json;
use tower::{BoxError, ServiceExt as _};
use tower_revocation::{
    Error, ErrorKind, Secret,
    client::{Credentials, Refusal, registry::Client},
    log::LogError,
};

use crate::{server::Server, setting::causes};

/// The time-out for a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A form that an authenticated client posted.
pub(crate) struct Post {
    pub(crate) client: Arc<Client>,
    parameters: HashMap<String, String>,
}

impl Post {
    /// A parameter. An empty value counts as missing (RFC 6749 §3.2).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    pub(crate) fn require(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name)
            .ok_or_else(|| OAuthError::invalid_request(format!("The parameter {name} is missing")))
    }

    pub(crate) fn require_secret(&self, name: &'static str) -> Result<Secret, OAuthError> {
        self.require(name).map(Secret::from)
    }
}

impl FromRequest<Server> for Post {
    type Rejection = OAuthError;

    async fn from_request(request: Request, server: &Server) -> Result<Self, OAuthError> {
        let (head, body) = request.into_parts();
        if !is_form(&head.headers) {
            return Err(OAuthError {
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ..OAuthError::invalid_request("The body is not a form")
            });
        }
        let body = Bytes::from_request(Request::from_parts(head.clone(), body), server);
        let body = tokio::time::timeout(BODY_TIMEOUT, body)
            .await
            .map_err(|_| OAuthError {
                status: StatusCode::REQUEST_TIMEOUT,
                ..OAuthError::invalid_request("The body did not arrive")
            })?;
        let body = body.map_err(|error| OAuthError {
            status: error.status(),
            ..OAuthError::invalid_request("The body could not be read")
        })?;

        // As the revocation endpoint does: the same parser, and the same authenticator.
        let credentials = Credentials::from_request(head, &body)?;
        let client = server.authenticator.clone().oneshot(credentials).await;
        let client = client.map_err(OAuthError::of_authenticator)?;
        Ok(Self {
            client: client.ok_or_else(OAuthError::invalid_client)?,
            parameters: parameters(&body)?,
        })
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| {
            value
                .trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
}

/// Parses a form. Fails if a parameter is repeated (RFC 6749 §3.2).
pub(crate) fn parameters(form: &[u8]) -> Result<HashMap<String, String>, OAuthError> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(form)
        .map_err(|_| OAuthError::invalid_request("The parameters are malformed"))?;
    let mut parameters = HashMap::new();
    for (name, value) in pairs {
        if parameters.insert(name, value).is_some() {
            return Err(OAuthError::invalid_request("A parameter is repeated"));
        }
    }
    parameters.retain(|_, value| !value.is_empty());
    Ok(parameters)
}

/// An error response.
#[derive(Debug)]
pub(crate) struct OAuthError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) description: String,
    pub(crate) retry_after: Option<Duration>,
    /// A header field of an extension.
    pub(crate) field: Option<Box<(HeaderName, HeaderValue)>>,
}

impl OAuthError {
    pub(crate) fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            description: description.into(),
            retry_after: None,
            field: None,
        }
    }

    pub(crate) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(crate) fn invalid_grant() -> Self {
        Self::new(
            "invalid_grant",
            "The grant is invalid, expired, revoked or of another client",
        )
    }

    pub(crate) fn invalid_client() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            ..Self::new("invalid_client", "Client authentication failed")
        }
    }

    /// The response to an error of the authenticator. It knows this crate's `Error`; any other
    /// error means that the server failed.
    fn of_authenticator(error: BoxError) -> Self {
        match error.downcast::<Error>() {
            Ok(error) => Self::from(*error),
            Err(error) => Self::unavailable(&*error),
        }
    }

    /// The server failed. The cause goes only into the server's log.
    pub(crate) fn unavailable(cause: &(dyn StdError + 'static)) -> Self {
        tracing::error!(cause = causes(cause), "unavailable");
        // The log of revocations knows when it tries to recover.
        let chain = successors(Some(cause), |&cause| cause.source());
        let mut log_errors = chain.filter_map(|cause| cause.downcast_ref::<LogError>());
        let delay = log_errors.find_map(LogError::retry_delay);
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry_after: Some(delay.unwrap_or(Duration::from_secs(1))),
            ..Self::new("temporarily_unavailable", "Try again later")
        }
    }
}

impl From<Error> for OAuthError {
    fn from(error: Error) -> Self {
        let mut response = match error.kind() {
            ErrorKind::InvalidRequest => Self::invalid_request("The request is malformed"),
            ErrorKind::InvalidClient => {
                // The client gets the same response for every reason.
                tracing::warn!(
                    reason = error.refusal().map(Refusal::as_str),
                    "client refused"
                );
                Self::invalid_client()
            }
            ErrorKind::TooManyRequests => Self {
                status: StatusCode::TOO_MANY_REQUESTS,
                retry_after: error.retry_delay(),
                ..Self::new("temporarily_unavailable", "Try again later")
            },
            _ => return Self::unavailable(&error),
        };
        response.code = error.error_code().unwrap_or(response.code);
        response.field = error.extra_header().cloned().map(Box::new);
        response
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let object = json!({ "error": self.code, "error_description": self.description });
        let mut response = (self.status, NO_STORE, Json(object)).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(r#"Basic realm="oauth", charset="UTF-8""#);
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some((name, value)) = self.field.map(|field| *field) {
            headers.insert(name, value);
        }
        if let Some(retry_after) = self.retry_after {
            // Whole seconds, rounded up.
            let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Caches must not store tokens, nor errors about them (RFC 6749 §5.1).
pub(crate) const NO_STORE: [(header::HeaderName, &str); 2] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::PRAGMA, "no-cache"),
];

/// The response to a request whose handler panicked. The server continues.
pub(crate) fn panicked(_: Box<dyn Any + Send>) -> Response<Full<RawBytes>> {
    let mut response = Response::new(Full::from(r#"{"error":"server_error"}"#));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
