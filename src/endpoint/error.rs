//! What went wrong.

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use hyper::header::{HeaderName, HeaderValue};
use tower::BoxError;

use crate::client::Refusal;

/// Why a request on the revoke path was not answered with success.
///
/// It rides in the response's extensions, for outer layers to log or to count. An authenticator or
/// a backend may make one too, anywhere in the source chain of its own error: then this kind and
/// this `Retry-After` are what the peer hears, in place of 503. The cause never reaches the peer.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::TooManyRequests).with_retry_after(Duration::from_secs(30));
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

/// What kind of failure an [`Error`] is, and so which status it is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// 405: neither `POST` nor `OPTIONS`.
    MethodNotAllowed,
    /// 415: not `application/x-www-form-urlencoded`, or neither in UTF-8 nor in ASCII.
    UnsupportedMediaType,
    /// 415: the body is compressed.
    UnsupportedContentCoding,
    /// 413: the body is larger than the cap.
    BodyTooLarge,
    /// 408: the body did not arrive in time.
    BodyTimeout,
    /// 400 `invalid_request`: the request cannot be understood, or means two things.
    InvalidRequest,
    /// 401 or 400 `invalid_client`: the client was not authenticated.
    InvalidClient,
    /// 400 `invalid_grant`: the token was issued to another client.
    InvalidGrant,
    /// 400 `unsupported_token_type`: a live token of this client that cannot be revoked here.
    UnsupportedTokenType,
    /// 429 `temporarily_unavailable`: too many attempts.
    TooManyRequests,
    /// 503 `temporarily_unavailable`: it could not be found out, or not be made durable.
    Unavailable,
    /// 500 `server_error`: a defect that trying again will not cure.
    ServerError,
}

impl Error {
    /// An error of this kind, told to the peer in this crate's words.
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

    /// [`InvalidClient`](ErrorKind::InvalidClient), with the reason that the peer does not hear.
    #[must_use]
    pub fn refused(refusal: Refusal) -> Self {
        Self {
            refusal: Some(refusal),
            ..Self::new(ErrorKind::InvalidClient)
        }
    }

    /// Keeps the reason for which the client would have been refused, had all been found out: it
    /// counts as a failure.
    #[cfg(feature = "registry")]
    pub(crate) fn with_refusal(mut self, refusal: Refusal) -> Self {
        self.refusal = Some(refusal);
        self
    }

    /// [`InvalidRequest`](ErrorKind::InvalidRequest), in these words.
    pub(crate) fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorKind::InvalidRequest).with_description(description)
    }

    /// Says an extension's `error` code in place of the kind's own.
    ///
    /// Characters that RFC 6749 §5.2 does not allow become `?`.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Says more in `error_description`. The peer reads it: never put a cause, a token or a secret
    /// there.
    ///
    /// Characters that RFC 6749 §5.2 does not allow become `?`.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Says when to try again, in `Retry-After`, rounded up to whole seconds (RFC 9110 §10.2.3).
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// Sends a field with the answer, such as an extension's challenge.
    ///
    /// It is sent beside the answer's own fields and does not replace them.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// Logs a failure of [`Unavailable`](ErrorKind::Unavailable) as a warning: it is one that any
    /// peer can provoke, and nothing is broken here. Other kinds stay as they are: a
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

    /// Keeps the cause for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// When to try again, if that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether an operator should hear of it: it is a failure of this server, and no peer can
    /// provoke it.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        self.is_alarm
    }

    /// Why the client was not authenticated, if it certainly is not to be.
    ///
    /// An error of another kind than [`InvalidClient`](ErrorKind::InvalidClient) has one where what
    /// was judged of the credentials is wrong, and something else could not be judged.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// A field that goes with the answer.
    #[must_use]
    pub fn header(&self) -> Option<&(HeaderName, HeaderValue)> {
        self.header.as_deref()
    }

    /// An extension's code, in place of the kind's own.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.code
    }

    /// What the peer is told, in place of the kind's own words.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What an error of the authenticator or the backend means: what it says itself, if somewhere
    /// in its chain of sources it is one of ours, else that the state of things could not be found
    /// out.
    pub(crate) fn from_service(cause: BoxError) -> Self {
        let cause = match cause.downcast::<Self>() {
            Ok(ours) => return *ours,
            Err(cause) => cause,
        };
        match Self::in_chain(&*cause).cloned() {
            Some(ours) => ours.with_source(cause),
            None => Self::new(ErrorKind::Unavailable).with_source(cause),
        }
    }

    /// The one of ours that is nearest in a chain of sources.
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

    /// Whether the fault lies with us, and an operator should hear of it.
    pub(super) fn is_fault(self) -> bool {
        matches!(self, Self::Unavailable | Self::ServerError)
    }
}
