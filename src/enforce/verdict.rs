//! What became of a request, and why.

use std::{error::Error as StdError, fmt, sync::Arc};

use tower::BoxError;

use crate::{
    introspect::{NotValidNow, Reason},
    log::SelectorClass,
};

/// What [`EnforcementLayer`](super::EnforcementLayer) found out about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The token is good now.
    Live,
    /// There was no token, and there need not be one.
    Anonymous,
    /// There was no token.
    Missing,
    /// The Authorization field is there more than once, or is of a scheme for tokens and has none.
    Malformed,
    /// The token is not genuine, not for this use, not good yet, or lacks a claim that is demanded,
    /// for this reason.
    Invalid(Reason),
    /// Its time is over.
    Expired,
    /// A record of this class covers it. `None` if there is no record, and its introspection says
    /// that it is [revoked](crate::introspect::Claims::revoked).
    Revoked(Option<SelectorClass>),
    /// It could not be found out.
    Unknown,
}

impl Verdict {
    /// A short name for logs and counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Anonymous => "anonymous",
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Invalid(_) => "invalid",
            Self::Expired => "expired",
            Self::Revoked(_) => "revoked",
            Self::Unknown => "unknown",
        }
    }

    /// Why the token is not valid here.
    #[must_use]
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Invalid(reason) => Some(reason),
            _ => None,
        }
    }

    /// What the record that covers the token selects by, if there is one.
    #[must_use]
    pub fn selector_class(self) -> Option<SelectorClass> {
        match self {
            Self::Revoked(class) => class,
            _ => None,
        }
    }
}

/// Why a request was refused. It rides in the extensions of the answer, for outer layers to log or
/// count; the peer does not see it.
///
/// ```
/// use tower_revocation::enforce::{Refused, Verdict};
///
/// fn was_revoked<B>(response: &hyper::Response<B>) -> bool {
///     let refused = response.extensions().get::<Refused>();
///     refused.is_some_and(|refused| matches!(refused.verdict(), Verdict::Revoked(_)))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Refused {
    verdict: Verdict,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Refused {
    pub(super) fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            source: None,
        }
    }

    /// Whether it is genuine could not be found out, because of this. It may be one that is not
    /// good now in any case.
    pub(super) fn unknown(cause: BoxError) -> Self {
        Self {
            verdict: match NotValidNow::find(&*cause).map(NotValidNow::reason) {
                None => Verdict::Unknown,
                Some(Reason::Expired) => Verdict::Expired,
                Some(reason) => Verdict::Invalid(reason),
            },
            source: Some(Arc::from(cause)),
        }
    }

    /// What was found out.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Why the token is not valid here, if the verdict is [`Invalid`](Verdict::Invalid).
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.verdict.reason()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.verdict {
            Verdict::Live | Verdict::Anonymous => "the request was let through",
            Verdict::Missing => "there was no token",
            Verdict::Malformed => "the Authorization field is malformed",
            Verdict::Invalid(_) => "the token is not valid here",
            Verdict::Expired => "the token has expired",
            Verdict::Revoked(_) => "the token was revoked",
            Verdict::Unknown => "whether the token is live could not be found out",
        })
    }
}

impl StdError for Refused {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
