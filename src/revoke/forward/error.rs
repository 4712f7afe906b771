//! Why a revocation could not be forwarded.

use std::{error::Error as StdError, fmt, sync::Arc};

use hyper::StatusCode;

use crate::jose::Failure;

/// A revocation that could not be forwarded, or a server that cannot be forwarded to.
///
/// It has nothing of what was sent, and nothing of what was answered but the status.
#[derive(Clone, Debug)]
pub struct ForwardError {
    status: Option<StatusCode>,
    reason: &'static str,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl ForwardError {
    pub(super) fn new(reason: &'static str) -> Self {
        Self {
            status: None,
            reason,
            source: None,
        }
    }

    pub(super) fn answered(status: StatusCode) -> Self {
        Self {
            status: Some(status),
            ..Self::new("the server has not answered with success")
        }
    }

    /// The status of the other server's answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }
}

impl From<Failure> for ForwardError {
    fn from(failure: Failure) -> Self {
        Self {
            source: failure.source.map(Arc::from),
            ..Self::new(failure.reason)
        }
    }
}

impl fmt::Display for ForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the revocation was not forwarded: {}", self.reason)?;
        match self.status {
            Some(status) => write!(f, " ({})", status.as_u16()),
            None => Ok(()),
        }
    }
}

impl StdError for ForwardError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
