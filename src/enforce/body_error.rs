//! Why did a body fail?

use std::fmt;

use tower::BoxError;

use super::End;

/// The error of an [`EnforcedBody`](super::EnforcedBody).
///
/// It does not implement [`Error`](std::error::Error), but it converts into a [`BoxError`]. The
/// result is the inner body's error or the [`End`], and can be downcast to it.
///
/// ```
/// use tower::BoxError;
/// use tower_revocation::enforce::{BodyError, End};
///
/// let error: BoxError = BodyError::<BoxError>::End(End::Expired).into();
/// assert!(error.is::<End>());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError<E> {
    /// The inner body failed.
    Inner(E),
    /// The body was cut because its token ended.
    End(End),
}

impl<E: fmt::Display> fmt::Display for BodyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inner(error) => error.fmt(f),
            Self::End(end) => end.fmt(f),
        }
    }
}

impl<E: Into<BoxError>> From<BodyError<E>> for BoxError {
    fn from(error: BodyError<E>) -> Self {
        match error {
            BodyError::Inner(error) => error.into(),
            BodyError::End(end) => end.into(),
        }
    }
}
