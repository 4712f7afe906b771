//! What can differ from route to route.

use std::time::Duration;

/// What happens to a request while the [`Index`](super::Index) is stale.
///
/// It does not matter in two cases. Before a log has been loaded, the layer accepts no
/// token. And it refuses a token that a known record covers, however old the index is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenUnknown {
    /// Refuses with 503, because an unknown token is not a live one. This is the default.
    #[default]
    Deny,
    /// Uses the stale index for a limited time.
    ///
    /// **For that time the layer accepts a token that was revoked in the meantime.**
    ServeStale {
        /// How long ago the index may have been complete.
        max: Duration,
    },
    /// Asks the service of [`confirm_by`](super::EnforcementLayer::confirm_by), such as the
    /// introspection endpoint of the authorization server. Without such a service the layer denies,
    /// as with [`Deny`](Self::Deny).
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
    /// Every request needs a token, an unknown token is denied, and streams end with their token.
    pub const fn new() -> Self {
        Self {
            when_unknown: WhenUnknown::Deny,
            cut_streams: true,
            anonymous: false,
        }
    }

    /// What happens to a request while the index is stale. Defaults to [`WhenUnknown::Deny`].
    pub const fn when_unknown(mut self, choice: WhenUnknown) -> Self {
        self.when_unknown = choice;
        self
    }

    /// Whether response bodies and [`Abortable`](super::Abortable) connections are cut when their
    /// token ends. Defaults to `true`. If `false`, the request's extensions have no
    /// [`TokenLife`](super::TokenLife).
    pub const fn cut_streams(mut self, cut: bool) -> Self {
        self.cut_streams = cut;
        self
    }

    /// Whether a request without a token passes. Defaults to `false`. A request with a bad token
    /// never passes.
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
