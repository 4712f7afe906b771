//! Why a proxy could not forward a request.

use std::{error::Error as StdError, fmt, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode, Version,
    header::{self, HeaderValue},
};
use tower::BoxError;

use crate::tls::TlsError;

/// Why a proxy could not forward a request, or could not be configured.
///
/// It is in the extensions of the response. Nothing of it reaches the peer except the status.
///
/// ```
/// use hyper::Response;
/// use tower_revocation::proxy::{Error, ErrorKind};
///
/// fn is_down<B>(response: &Response<B>) -> bool {
///     let error = response.extensions().get::<Error>();
///     error.is_some_and(|error| error.kind() == ErrorKind::Unreachable)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    reason: &'static str,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kind of an [`Error`]. It determines the status of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// 400: the request is malformed or ambiguous.
    BadRequest,
    /// 431: the head of the request is too large.
    HeadTooLarge,
    /// 501: the body of the request has a transfer coding other than `chunked` (RFC 9112 §6.1).
    UnknownCoding,
    /// 502: no connection to the API, or it ended before a response.
    Unreachable,
    /// 502: the response cannot be forwarded.
    BadResponse,
    /// 401: the token has ended before the body of the request, so the body was cut.
    TokenEnded,
    /// 503: the same, because it is no longer known whether the token is revoked.
    TokenUnknown,
    /// 408: the client sent nothing of its body for too long.
    ClientTimedOut,
    /// 503: too many requests are at the API.
    Overloaded,
    /// 504: the API did not accept the connection, or did not respond, in time.
    TimedOut,
    /// Something has to be configured in another way. No response has it.
    Configuration,
}

impl ErrorKind {
    /// The kind as a word, for labels and events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::HeadTooLarge => "head_too_large",
            Self::UnknownCoding => "unknown_coding",
            Self::Unreachable => "unreachable",
            Self::BadResponse => "bad_response",
            Self::TokenEnded => "token_ended",
            Self::TokenUnknown => "token_unknown",
            Self::ClientTimedOut => "client_timed_out",
            Self::Overloaded => "overloaded",
            Self::TimedOut => "timed_out",
            Self::Configuration => "configuration",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TokenEnded => StatusCode::UNAUTHORIZED,
            Self::TokenUnknown | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::ClientTimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::Unreachable | Self::BadResponse | Self::Configuration => StatusCode::BAD_GATEWAY,
        }
    }
}

impl Error {
    pub(super) fn new(kind: ErrorKind, reason: &'static str) -> Self {
        Self {
            kind,
            reason,
            source: None,
        }
    }

    pub(super) fn bad_request(reason: &'static str) -> Self {
        Self::new(ErrorKind::BadRequest, reason)
    }

    pub(super) fn configuration(reason: &'static str) -> Self {
        Self::new(ErrorKind::Configuration, reason)
    }

    pub(super) fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The response to a request of this version, without a body.
    ///
    /// A malformed request may be read in another way by its sender, so its connection ends. It also
    /// ends if the rest of the body would have to be read.
    pub(super) fn into_response(self, version: Version) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        if matches!(self.kind, ErrorKind::TokenUnknown | ErrorKind::Overloaded) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        self.complete(response, version)
    }

    /// Makes a refusal of the layer that checked the token the response to a request of this version.
    pub(super) fn complete(
        self,
        mut response: Response<Full<Bytes>>,
        version: Version,
    ) -> Response<Full<Bytes>> {
        use ErrorKind::{BadRequest, ClientTimedOut, TokenEnded, TokenUnknown, UnknownCoding};

        let closes = matches!(
            self.kind,
            BadRequest | UnknownCoding | TokenEnded | TokenUnknown | ClientTimedOut
        );
        if closes && version != Version::HTTP_2 {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<TlsError> for Error {
    fn from(error: TlsError) -> Self {
        let TlsError { reason, source } = error;
        let error = Self::configuration(reason);
        match source {
            Some(source) => error.caused_by(source),
            None => error,
        }
    }
}
