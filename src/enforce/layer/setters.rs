//! The setters of the layer.

use std::{sync::Arc, time::Duration};

use hyper::{HeaderMap, Uri, http::request::Parts};
use tower::{BoxError, Service, ServiceExt as _, util::BoxCloneSyncService};

use super::EnforcementLayer;
#[cfg(feature = "tracing")]
use crate::observe::Fingerprints;
use crate::{
    enforce::{Policy, bearer::Shape},
    introspect::Introspected,
    log::SelectorClass,
    token::Secret,
};

impl<I> EnforcementLayer<I> {
    /// The realm of the challenge. Defaults to `api`.
    ///
    /// # Panics
    ///
    /// Panics if `realm` has a character that is neither visible ASCII nor a space.
    pub fn realm(mut self, realm: &str) -> Self {
        let refusals = &mut self.settings_mut().refusals;
        refusals.set(|parameters| parameters.set_realm(realm));
        self
    }

    /// The URL of the metadata of this API as a protected resource, which every challenge then
    /// states as `resource_metadata` (RFC 9728 §5.1). By default no challenge has it.
    ///
    /// A client that has no token learns from it which authorization servers issue tokens for this
    /// API. This layer does not serve the metadata. **Clients must reach the URL without a token**:
    /// serve it outside of this layer, or under a policy for [`anonymous`](Policy::anonymous)
    /// requests.
    ///
    /// ```
    /// # use tower_revocation::enforce::{EnforcementLayer, Index};
    /// # let introspect = ();
    /// let layer = EnforcementLayer::new(introspect, Index::new())
    ///     .resource_metadata("https://api.example.com/.well-known/oauth-protected-resource");
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `url` is neither an `https` URL nor an `http` URL of this machine, such as
    /// `http://localhost:3000/`, if it has a fragment or user information, or if it has characters
    /// other than those of a URL.
    pub fn resource_metadata(mut self, url: &str) -> Self {
        let refusals = &mut self.settings_mut().refusals;
        refusals.set(|parameters| parameters.set_resource_metadata(url));
        self
    }

    /// `Retry-After` of a 503 whose cause does not state a time itself. Defaults to 1 s.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.settings_mut().refusals.retry_after = delay;
        self
    }

    /// Whether every refusal is an HTTP response, also to gRPC requests. Defaults to `false`.
    ///
    /// Use this where the HTTP status decides, such as behind `auth_request` of nginx. A refusal in
    /// gRPC has the HTTP status 200, which nginx takes as permission. With this setting a gRPC
    /// stream is cut by a reset, without trailers.
    ///
    /// ```
    /// # use tower_revocation::enforce::{EnforcementLayer, Index};
    /// # let introspect = ();
    /// let layer = EnforcementLayer::new(introspect, Index::new()).respond_in_http(true);
    /// ```
    pub fn respond_in_http(mut self, http: bool) -> Self {
        self.settings_mut().responds_in_http = http;
        self
    }

    /// How far `iat` and `nbf` may be ahead of this process's clock. Defaults to 60 s.
    ///
    /// It does not apply to `exp`, because the log may forget a record soon after the `exp` of its
    /// tokens.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.settings_mut().leeway = leeway;
        self
    }

    /// Whether to accept tokens without the time when they were issued (`iat`). Defaults to `false`.
    ///
    /// A record of a subject, a client, a key or an issuer covers what was issued up to some time.
    /// **Every such record covers a token without `iat`, and once the log has forgotten the record,
    /// the token is live again.** Set it to `true` only if no such records are appended.
    pub fn allow_missing_iat(mut self, allow: bool) -> Self {
        self.settings_mut().requires_iat = !allow;
        self
    }

    /// Refuses tokens without a selector of this class. By default only `iat` is required.
    ///
    /// If you revoke sessions, for example, require [`SelectorClass::Session`]: a token without a
    /// session (`sid`) is then refused, because no record of a session can cover it.
    pub fn require(mut self, class: SelectorClass) -> Self {
        self.settings_mut().required.push(class);
        self
    }

    /// The policy of every route. Defaults to [`Policy::new`].
    pub fn policy(mut self, policy: Policy) -> Self {
        self.settings_mut().policy = policy;
        self
    }

    /// Chooses the policy for each request. It replaces [`policy`](Self::policy).
    ///
    /// ```
    /// # use tower_revocation::enforce::{EnforcementLayer, Index, Policy};
    /// # let introspect = ();
    /// let layer = EnforcementLayer::new(introspect, Index::new())
    ///     .policy_by(|head| Policy::new().anonymous(head.uri.path() == "/health"));
    /// ```
    pub fn policy_by<F>(mut self, choose: F) -> Self
    where
        F: Fn(&Parts) -> Policy + Send + Sync + 'static,
    {
        self.settings_mut().policy_by = Some(Arc::new(choose));
        self
    }

    /// Chooses the policy only for requests whose route is known. All others need a token. No
    /// response is cut.
    #[cfg(feature = "proxy")]
    pub(crate) fn for_known_routes(mut self, is_known: fn(&Parts) -> bool) -> Self {
        let settings = self.settings_mut();
        let (fixed, choose) = (settings.policy, settings.policy_by.take());
        settings.policy_by = Some(Arc::new(move |head| {
            let policy = match &choose {
                _ if !is_known(head) => fixed.anonymous(false),
                Some(choose) => choose(head),
                None => fixed,
            };
            policy.cut_streams(false)
        }));
        self
    }

    /// Where to find a token if the Authorization header has none, such as in a cookie, which a
    /// browser sends when it opens a WebSocket. By default the layer looks nowhere else. RFC 9700
    /// §2.6 advises against the query.
    ///
    /// **A browser may also send a cookie with a request that another site caused**, including one
    /// that opens a WebSocket. Check `Origin` where a cookie counts.
    pub fn token_from<F>(mut self, find: F) -> Self
    where
        F: Fn(&Uri, &HeaderMap) -> Option<Secret> + Send + Sync + 'static,
    {
        self.settings_mut().token_from = Some(Arc::new(find));
        self
    }

    /// Whether a token may have any visible ASCII characters, such as the `|` and `:` of some
    /// products (RFC 6749 §A.12). Defaults to `false`: a token is a `b64token` (RFC 6750 §2.1), and
    /// the layer refuses any other without an introspection.
    ///
    /// The revocation endpoint accepts all of them in any case.
    pub fn any_visible_token(mut self, any: bool) -> Self {
        self.settings_mut().shape = Shape { any_visible: any };
        self
    }

    /// The service that decides about a token under
    /// [`WhenUnknown::Introspect`](crate::enforce::WhenUnknown::Introspect). It must know which tokens are
    /// revoked.
    pub fn confirm_by<S>(mut self, authority: S) -> Self
    where
        S: Service<Secret, Response: Into<Introspected>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        let authority =
            BoxCloneSyncService::new(authority.map_response(Into::into).map_err(Into::into));
        self.settings_mut().confirm_by = Some(authority);
        self
    }

    /// The key of the fingerprints that stand for tokens in events. Defaults to a random key for
    /// each process. Set it if several processes must write the same fingerprint.
    #[cfg(feature = "tracing")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
    pub fn fingerprint_key(mut self, key: [u8; 32]) -> Self {
        self.settings_mut().fingerprints = Fingerprints::keyed(key);
        self
    }
}
