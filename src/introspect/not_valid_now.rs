//! The introspection failed, but the token is not valid now in any case.

use std::{error::Error as StdError, fmt, sync::Arc};

use tower::BoxError;

use super::Reason;

/// An introspection could not find out whether a token is genuine, but the token is not valid now
/// in any case, for this [`Reason`].
///
/// An introspection returns it as its error, or anywhere in the source chain of its error.
/// [`EnforcementLayer`](crate::enforce::EnforcementLayer) then refuses the token (401) instead of
/// returning 503. A revocation endpoint ignores it and returns 503, because clocks may differ and
/// the token may have to be revoked.
///
/// `JwtTokens` returns it when the issuer's keys cannot be fetched and the token has expired by its
/// own `exp`: 401 tells the client to get a new token.
///
/// ```
/// use tower::BoxError;
/// use tower_revocation::introspect::{NotValidNow, Reason};
///
/// let error: BoxError = NotValidNow::new(Reason::Expired, "the database is down").into();
/// let not_valid_now = NotValidNow::find(&*error).expect("it is in the chain");
/// assert_eq!(not_valid_now.reason(), Reason::Expired);
/// ```
#[derive(Clone, Debug)]
pub struct NotValidNow {
    reason: Reason,
    cause: Arc<dyn StdError + Send + Sync>,
}

impl NotValidNow {
    /// The token is not valid now for this reason. Nothing else could be found out, because of
    /// this cause.
    pub fn new(reason: Reason, cause: impl Into<BoxError>) -> Self {
        Self {
            reason,
            cause: Arc::from(cause.into()),
        }
    }

    /// Why the token is not valid now.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The first one in the source chain of this error, the error itself included.
    #[must_use]
    pub fn find<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Self> {
        std::iter::successors(Some(error), |&error| error.source())
            .find_map(|error| error.downcast_ref())
    }
}

impl fmt::Display for NotValidNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the token is not valid now ({})", self.reason)
    }
}

impl StdError for NotValidNow {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.cause)
    }
}
