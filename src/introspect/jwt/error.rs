//! Why an introspection of a JWT fails.

use std::{error::Error as StdError, fmt, time::Duration};

use crate::{
    error::{Error, ErrorKind},
    introspect::{NotValidNow, Reason},
    jose::RemoteError,
};

/// `JwtTokens` could not find out whether a token is genuine: the keys of the issuer could not be
/// fetched, or the keys that were fetched do not
/// [settle](super::JwtTokens#which-keys-settle-a-token) it.
///
/// The endpoint and enforcement return 503 with `Retry-After`. The error holds no part of the
/// token.
#[derive(Clone, Debug)]
pub struct JwtError {
    kind: JwtErrorKind,
    not_valid_now: Option<NotValidNow>,
    /// What the endpoint and enforcement return.
    error: Error,
}

/// The kind of a [`JwtError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwtErrorKind {
    /// The keys of the issuer could not be fetched, and no earlier ones are cached.
    NoKeys,
    /// No key verifies the token, and the keys at hand are not newer than the token.
    Unsettled,
    /// A key that was not tried, or that cannot be used here, may have signed the token.
    Untried,
}

impl JwtError {
    /// The keys do not settle the token. They may do so after this time.
    pub(super) fn unsettled(retry_after: Duration) -> Self {
        let retry_after = retry_after.max(Duration::from_secs(1));
        let error = Error::new(ErrorKind::Unavailable).retry_after(retry_after);
        Self {
            kind: JwtErrorKind::Unsettled,
            not_valid_now: None,
            // Anybody can cause this error with a forged token.
            error: error.without_alarm(),
        }
    }

    /// A key that was not tried, or that cannot be used here, may have signed the token.
    pub(super) fn untried() -> Self {
        Self {
            kind: JwtErrorKind::Untried,
            ..Self::unsettled(Duration::from_secs(60))
        }
    }

    /// Adds why the token is not valid now, whichever key signed it.
    pub(super) fn not_valid_now_because(self, reason: Option<Reason>) -> Self {
        let not_valid_now = reason.map(|reason| NotValidNow::new(reason, self.error.clone()));
        Self {
            not_valid_now,
            ..self
        }
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> JwtErrorKind {
        self.kind
    }

    /// Why the token is not valid now, whichever key signed it: its own `exp` is past
    /// ([`Expired`](Reason::Expired)), or its `iat` is in the future ([`NotYet`](Reason::NotYet)).
    ///
    /// If there is a reason, a [`NotValidNow`] is in the source chain. Enforcement then refuses the
    /// token (401). A revocation endpoint returns 503, because clocks may differ.
    #[must_use]
    pub fn not_valid_now(&self) -> Option<Reason> {
        self.not_valid_now.as_ref().map(NotValidNow::reason)
    }

    /// When to try again, if that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.error.retry_delay()
    }
}

impl From<RemoteError> for JwtError {
    fn from(error: RemoteError) -> Self {
        Self {
            kind: JwtErrorKind::NoKeys,
            not_valid_now: None,
            error: Error::new(ErrorKind::Unavailable).caused_by(error),
        }
    }
}

impl fmt::Display for JwtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            JwtErrorKind::NoKeys => "there are no keys of the issuer to verify the token",
            JwtErrorKind::Unsettled => {
                "no key verifies the token, and the keys are not newer than the token"
            }
            JwtErrorKind::Untried => "not every key that may have signed the token can be tried",
        })
    }
}

impl StdError for JwtError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(match &self.not_valid_now {
            Some(not_valid_now) => not_valid_now,
            None => &self.error,
        })
    }
}
