//! What the layer decided about a request, and why.

use std::{error::Error as StdError, fmt, sync::Arc};

use tower::BoxError;

use super::End;
use crate::{
    introspect::{NotValidNow, Reason},
    log::SelectorClass,
};

/// What [`EnforcementLayer`](super::EnforcementLayer) or [`ScopeLayer`](super::ScopeLayer) decided
/// about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The token is live.
    Live,
    /// There is no token, and the [policy](super::Policy::anonymous) requires none.
    Anonymous,
    /// There is no token.
    Missing,
    /// There are two Authorization headers, or the header has a scheme for tokens and no token.
    Malformed,
    /// The token is not genuine, not for this use, not valid yet, or it lacks a required claim.
    Invalid(Reason),
    /// The token has expired.
    Expired,
    /// The token is revoked. A record of this class covers it. `None` if there is no record, and
    /// the introspection returned the token as [revoked](crate::introspect::Claims::revoked).
    Revoked(Option<SelectorClass>),
    /// The token lacks a scope that a [`ScopeLayer`](super::ScopeLayer) requires.
    InsufficientScope,
    /// The state of the token could not be found out.
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
            Self::InsufficientScope => "insufficient_scope",
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

    /// The class of the record that covers the token, if there is one.
    #[must_use]
    pub fn selector_class(self) -> Option<SelectorClass> {
        match self {
            Self::Revoked(class) => class,
            _ => None,
        }
    }
}

/// Why a request was refused. The extensions of the response hold it, so that outer layers can log
/// or count it. The peer does not see it.
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

    /// The state of the token could not be found out, because of this cause. The token may still be
    /// [not valid now](NotValidNow) in any case, and then that decides.
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

    /// The decision.
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

/// The token ended while its request was in progress.
impl From<End> for Refused {
    fn from(end: End) -> Self {
        match end {
            End::Revoked(class) => Self::new(Verdict::Revoked(class)),
            End::Expired => Self::new(Verdict::Expired),
            End::Unknown => Self::unknown(end.into()),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.verdict {
            Verdict::Live | Verdict::Anonymous => "the request passed",
            Verdict::Missing => "there is no token",
            Verdict::Malformed => "the Authorization field is malformed",
            Verdict::Invalid(_) => "the token is not valid here",
            Verdict::Expired => "the token has expired",
            Verdict::Revoked(_) => "the token is revoked",
            Verdict::InsufficientScope => "the token lacks a scope",
            Verdict::Unknown => "the state of the token could not be found out",
        })
    }
}

impl StdError for Refused {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
