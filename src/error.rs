//! The error of a request on the revocation path.

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use hyper::header::{HeaderName, HeaderValue};
use tower::BoxError;

use crate::refusal::Refusal;

/// Why a request on the revocation path failed.
///
/// It is in the response's extensions, so that outer layers can log or count it. An authenticator or
/// a backend can return one too, anywhere in the source chain of its own error. Its kind and its
/// `Retry-After` then replace the default 503. The source never reaches the peer.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::TooManyRequests).retry_after(Duration::from_secs(30));
/// assert_eq!(error.kind(), ErrorKind::TooManyRequests);
/// ```
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    code: Option<&'static str>,
    description: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
    refusal: Option<Refusal>,
    header: Option<Box<(HeaderName, HeaderValue)>>,
    is_alarm: bool,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kind of an [`Error`]. It determines the status of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// 405: neither `POST` nor `OPTIONS`.
    MethodNotAllowed,
    /// 415: not `application/x-www-form-urlencoded`, or neither in UTF-8 nor in ASCII.
    UnsupportedMediaType,
    /// 415: the body is compressed.
    UnsupportedContentCoding,
    /// 413: the body is larger than the limit.
    BodyTooLarge,
    /// 408: the body did not arrive in time.
    BodyTimeout,
    /// 400 `invalid_request`: the request is malformed or ambiguous.
    InvalidRequest,
    /// 401 or 400 `invalid_client`: client authentication failed.
    InvalidClient,
    /// 400 `invalid_grant`: the token was issued to another client.
    InvalidGrant,
    /// 400 `unsupported_token_type`: this server cannot revoke the token.
    UnsupportedTokenType,
    /// 429 `temporarily_unavailable`: too many attempts.
    TooManyRequests,
    /// 503 `temporarily_unavailable`: the server could not look up the token, or could not make the
    /// revocation durable.
    Unavailable,
    /// 500 `server_error`: a defect. A retry does not help.
    ServerError,
}

impl Error {
    /// Creates an error with the default response of this kind.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self {
            kind,
            code: None,
            description: None,
            retry_after: None,
            refusal: None,
            header: None,
            is_alarm: kind.is_fault(),
            source: None,
        }
    }

    /// Creates an [`InvalidClient`](ErrorKind::InvalidClient) error. The reason stays hidden from the
    /// peer.
    #[must_use]
    pub fn refused(refusal: Refusal) -> Self {
        Self {
            refusal: Some(refusal),
            ..Self::new(ErrorKind::InvalidClient)
        }
    }

    /// Sets a reason that already rules the client out, although another check could not be
    /// completed. The request then counts as a failed authentication.
    #[cfg(feature = "registry")]
    pub(crate) fn ruled_out_by(mut self, refusal: Refusal) -> Self {
        self.refusal = Some(refusal);
        self
    }

    /// Creates an [`InvalidRequest`](ErrorKind::InvalidRequest) error with a description.
    pub(crate) fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorKind::InvalidRequest).description(description)
    }

    /// Replaces the `error` code of the kind by the code of an extension.
    ///
    /// Characters that RFC 6749 §5.2 does not allow become `?`.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Sets `error_description`. The peer reads it: never put a cause, a token or a secret there.
    ///
    /// Characters that RFC 6749 §5.2 does not allow become `?`.
    #[must_use]
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets `Retry-After`, rounded up to whole seconds (RFC 9110 §10.2.3).
    #[must_use]
    pub fn retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// Adds a header field to the response, such as the challenge of an extension.
    ///
    /// It does not replace the fields that the response has already.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// Logs an [`Unavailable`](ErrorKind::Unavailable) error as a warning instead of an error: any
    /// peer can provoke it, and nothing is broken. Other kinds do not change: a
    /// [`ServerError`](ErrorKind::ServerError) is always an alarm.
    ///
    /// ```
    /// use tower_revocation::{Error, ErrorKind};
    ///
    /// assert!(!Error::new(ErrorKind::Unavailable).without_alarm().is_alarm());
    /// assert!(Error::new(ErrorKind::ServerError).without_alarm().is_alarm());
    /// ```
    #[must_use]
    pub fn without_alarm(mut self) -> Self {
        self.is_alarm &= self.kind != ErrorKind::Unavailable;
        self
    }

    /// Sets the source, which is logged and never sent to the peer.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The delay for `Retry-After`, if set.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether operators should be alerted: this server failed, and no peer can provoke the failure.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        self.is_alarm
    }

    /// Why the client failed to authenticate, if that is certain.
    ///
    /// An error of another kind than [`InvalidClient`](ErrorKind::InvalidClient) has a reason if one
    /// check of the credentials failed and another one could not be completed.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// The additional header field, if set.
    #[must_use]
    pub fn extra_header(&self) -> Option<&(HeaderName, HeaderValue)> {
        self.header.as_deref()
    }

    /// The `error` code of an extension, if set.
    #[must_use]
    pub fn error_code(&self) -> Option<&'static str> {
        self.code
    }

    /// The `error_description`, if set.
    #[must_use]
    pub fn error_description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Converts an error of the authenticator or the backend. If its source chain contains an
    /// [`Error`], that one decides, else it is [`Unavailable`](ErrorKind::Unavailable).
    pub(crate) fn from_service(cause: BoxError) -> Self {
        let cause = match cause.downcast::<Self>() {
            Ok(ours) => return *ours,
            Err(cause) => cause,
        };
        match Self::in_chain(&*cause).cloned() {
            Some(ours) => ours.caused_by(cause),
            None => Self::new(ErrorKind::Unavailable).caused_by(cause),
        }
    }

    /// The first [`Error`] in a source chain.
    pub(crate) fn in_chain<'e>(cause: &'e (dyn StdError + 'static)) -> Option<&'e Self> {
        std::iter::successors(Some(cause), |&error| error.source())
            .find_map(|error| error.downcast_ref())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        match &self.description {
            Some(description) => write!(f, ": {description}"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl ErrorKind {
    /// A short name for logs and counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::UnsupportedContentCoding => "unsupported_content_coding",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyTimeout => "body_timeout",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::TooManyRequests => "too_many_requests",
            Self::Unavailable => "unavailable",
            Self::ServerError => "server_error",
        }
    }

    /// Whether this server is at fault.
    pub(crate) fn is_fault(self) -> bool {
        matches!(self, Self::Unavailable | Self::ServerError)
    }
}
