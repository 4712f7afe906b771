//! Why was an issuer not told?

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use hyper::StatusCode;
use tower::BoxError;

use crate::outbound::{OutboundError, OutboundErrorKind};

/// No server has to be left alone for longer.
const LONGEST_DELAY: Duration = Duration::from_secs(60 * 60);

/// An issuer could not be told, or a configuration cannot be used.
///
/// It contains nothing of the notice and of the credentials, and nothing of the response but its
/// status.
///
/// A service of your own can fail with it, to say [when to try again](Self::retry_after), or that
/// another attempt is of no use:
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::notify::{NotifyError, NotifyErrorKind};
///
/// let busy = NotifyError::new(NotifyErrorKind::Unreachable).retry_after(Duration::from_secs(30));
/// assert!(!busy.kind().is_final());
/// assert!(NotifyErrorKind::Gone.is_final());
/// ```
#[derive(Clone, Debug)]
pub struct NotifyError {
    kind: NotifyErrorKind,
    reason: Option<&'static str>,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kind of a [`NotifyError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotifyErrorKind {
    /// The configuration cannot be used.
    Configuration,
    /// There was no response, or it was incomplete.
    Unreachable,
    /// The response took too long.
    TimedOut,
    /// The issuer does not accept the credentials, or they do not suffice.
    Unauthorized,
    /// The response has this status, which does not mean success. Redirects are not followed.
    Status(StatusCode),
    /// The response is not as expected.
    Malformed,
    /// The receiver wants no more notices. **Final.**
    Gone,
    /// The issuer cannot be told of such an order. **Final.**
    Unsupported,
}

impl NotifyErrorKind {
    /// Returns a short name for logs and metrics, such as `timed_out`. It does not include the
    /// status.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Unauthorized => "unauthorized",
            Self::Status(_) => "status",
            Self::Malformed => "malformed",
            Self::Gone => "gone",
            Self::Unsupported => "unsupported",
        }
    }

    /// Whether another attempt is of no use.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Gone | Self::Unsupported)
    }
}

impl NotifyError {
    /// Makes an error of this kind.
    #[must_use]
    pub fn new(kind: NotifyErrorKind) -> Self {
        Self {
            kind,
            reason: None,
            retry_after: None,
            source: None,
        }
    }

    /// Sets how long to wait at least before the next attempt. More than an hour is an hour.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Sets the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    pub(super) fn configuration(reason: &'static str) -> Self {
        Self {
            reason: Some(reason),
            ..Self::new(NotifyErrorKind::Configuration)
        }
    }

    pub(super) fn malformed(reason: &'static str) -> Self {
        Self {
            reason: Some(reason),
            ..Self::new(NotifyErrorKind::Malformed)
        }
    }

    /// The error of this type in a chain of causes. One of another type is `Unreachable`.
    pub(super) fn in_chain(
        error: &(dyn StdError + 'static),
    ) -> (NotifyErrorKind, Option<Duration>) {
        let mut link = Some(error);
        while let Some(cause) = link {
            if let Some(found) = cause.downcast_ref::<Self>() {
                let delay = found.retry_after.map(|it| it.min(LONGEST_DELAY));
                return (found.kind, delay);
            }
            link = cause.source();
        }
        (NotifyErrorKind::Unreachable, None)
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> NotifyErrorKind {
        self.kind
    }
}

impl From<OutboundError> for NotifyError {
    fn from(error: OutboundError) -> Self {
        let kind = match error.kind {
            OutboundErrorKind::Configuration => NotifyErrorKind::Configuration,
            OutboundErrorKind::Unreachable
            | OutboundErrorKind::Closed
            | OutboundErrorKind::ForbiddenAddress => NotifyErrorKind::Unreachable,
            OutboundErrorKind::TimedOut => NotifyErrorKind::TimedOut,
            OutboundErrorKind::Status(status) => NotifyErrorKind::Status(status),
            OutboundErrorKind::Compressed | OutboundErrorKind::TooLarge => {
                NotifyErrorKind::Malformed
            }
        };
        Self {
            reason: Some(error.reason),
            source: error.source.map(Arc::from),
            ..Self::new(kind)
        }
    }
}

impl fmt::Display for NotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.kind {
            NotifyErrorKind::Configuration => {
                let reason = self.reason.unwrap_or("it cannot be used");
                return write!(f, "invalid configuration: {reason}");
            }
            NotifyErrorKind::Status(status) => {
                let status = status.as_u16();
                return write!(f, "the issuer was not told: the server returned {status}");
            }
            NotifyErrorKind::Unreachable => "the server did not respond",
            NotifyErrorKind::TimedOut => "the request timed out",
            NotifyErrorKind::Unauthorized => "the server does not accept the credentials",
            NotifyErrorKind::Malformed => "the response is not as expected",
            NotifyErrorKind::Gone => "the receiver wants no more notices",
            NotifyErrorKind::Unsupported => "it cannot be told of such an order",
        };
        write!(
            f,
            "the issuer was not told: {}",
            self.reason.unwrap_or(reason)
        )
    }
}

impl StdError for NotifyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
