//! What may differ from route to route.

use std::time::Duration;

/// What becomes of a request while the [`Index`](super::Index) is stale. Before the first snapshot
/// is in, nothing is accepted, whatever this says; and a token that a known record covers is
/// refused, however old the index is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenUnknown {
    /// 503: an unknown state is not "live".
    #[default]
    Deny,
    /// Goes by what the index knows while that is no older than this.
    ///
    /// **A token that was revoked in the meantime is accepted for so long.**
    ServeStale {
        /// How long after the log was last heard of.
        max: Duration,
    },
    /// Asks the service that [`confirm_by`](super::EnforcementLayer::confirm_by) has named, such as
    /// the introspection endpoint of the authorization server. Without one it is
    /// [`Deny`](Self::Deny).
    Introspect,
}

/// What [`EnforcementLayer`](super::EnforcementLayer) does on a route.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::enforce::{Policy, WhenUnknown};
///
/// let for_downloads = Policy::new()
///     .when_unknown(WhenUnknown::ServeStale { max: Duration::from_secs(30) })
///     .cut_streams(false);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a policy does nothing until a layer has it"]
pub struct Policy {
    pub(super) when_unknown: WhenUnknown,
    pub(super) cut_streams: bool,
    pub(super) anonymous: bool,
}

impl Policy {
    /// Every request needs a token, what is unknown is denied, and streams end with their token.
    pub const fn new() -> Self {
        Self {
            when_unknown: WhenUnknown::Deny,
            cut_streams: true,
            anonymous: false,
        }
    }

    /// What becomes of a request while the index is stale.
    pub const fn when_unknown(mut self, choice: WhenUnknown) -> Self {
        self.when_unknown = choice;
        self
    }

    /// Whether response bodies and [`Abortable`](super::Abortable) connections are cut when their
    /// token ends. If not, there is no [`TokenLife`](super::TokenLife) in the request's extensions.
    pub const fn cut_streams(mut self, cut: bool) -> Self {
        self.cut_streams = cut;
        self
    }

    /// Whether a request without a token passes. One with a bad token never does.
    pub const fn anonymous(mut self, passes: bool) -> Self {
        self.anonymous = passes;
        self
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}
