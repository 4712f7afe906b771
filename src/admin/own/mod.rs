//! A user's own sessions: to list them, and to end those that the user does not know.

mod end;
mod respond;
mod service;
mod sessions;

use std::{fmt, sync::Arc};

use crate::{
    enforce::{EnforcementLayer, Policy, ScopeLayer},
    revoke::{Administration, Handles},
    sightings::Sightings,
};

/// The sessions of the user who asks, over HTTP: a list of those that were used here, and calls that
/// end them.
///
/// A session is the tokens with one `sid`, or else those of one grant, or else one token.
///
/// | Call | Response |
/// |---|---|
/// | `GET /v1/me/sessions` | 200 with an [`OwnSessionsList`](super::OwnSessionsList) |
/// | `DELETE /v1/me/sessions/{id}` | 204, also if it has ended before; 404 if the identifier is not one of this user and this key |
/// | `POST /v1/me/sessions:revoke-others` | 200 with [`OthersRevoked`](super::OthersRevoked): the current session lives on |
/// | `POST /v1/me/tokens:revoke` with an [`InspectionOrder`](super::InspectionOrder) | 204; 422 if the token is not one of the user, whatever else it is |
///
/// **The user is the subject of the live access token of the request**, which the [`EnforcementLayer`]
/// checks: a request without one is 401. If the token cannot be checked, it is 503. No request can
/// name another subject. An identifier is a [handle](Handles) of one subject, so that of another user
/// does nothing, and its response is the same as for one that does not exist: 404. **Several nodes need
/// the same key in their [`Handles`]**, or an identifier of one is 404 at the others. A token that the
/// user types is revoked only if its tenant and subject are those of the user.
///
/// Success means that the record is durable. Each record goes through the [`Administration`], whose
/// event has the actor `self:` and the subject.
///
/// **The list is not complete**: it has what this process has seen since it was started, and so do the
/// other sessions that it ends. Show `seen_here_since` to the user. To end every session of a user,
/// revoke the subject.
///
/// Each request for the list, or for the end of the others, is noted as a sighting itself, so the current
/// session is in the list. A token with a name of more than 255 bytes is not noted, but it is in the list
/// of its own requests. Its session lives on as every current session does.
///
/// Any script that has a token of the user can call it, with whatever scope the token has. Set a
/// [`scope`](Self::scope) if your clients have scopes.
///
/// ```
/// use http_body_util::{BodyExt, Full};
/// use hyper::{Request, body::Bytes};
/// use tower::{BoxError, ServiceExt};
/// use tower_revocation::{
///     admin::{OwnSessions, OwnSessionsList},
///     enforce::{EnforcementLayer, Index},
///     log::MemoryLog,
///     revoke::{Administration, Handles},
///     sightings::Sightings,
///     test_util::TestIssuer,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let log = MemoryLog::new();
/// let index = Index::follow(&log).await?;
/// let issuer = TestIssuer::new("https://issuer.test");
/// let tokens = issuer.tokens();
/// let service = OwnSessions::new(
///     EnforcementLayer::new(tokens.clone(), index.clone()),
///     index,
///     tokens,
///     Administration::new(log),
///     Sightings::new(),
///     Handles::random()?,
/// );
///
/// let token = issuer.token().subject("alice").sign();
/// let request = Request::get("/v1/me/sessions")
///     .header("authorization", format!("Bearer {token}"))
///     .body(Full::<Bytes>::default())?;
/// let response = service.oneshot(request).await?;
/// assert_eq!(response.status(), 200);
/// let body = response.into_body().collect().await?.to_bytes();
/// let list: OwnSessionsList = serde_json::from_slice(&body)?;
/// assert!(list.sessions[0].current);
/// # Ok(())
/// # }
/// ```
#[must_use = "a service does nothing until it is called"]
pub struct OwnSessions<L, I, J = I> {
    enforcement: EnforcementLayer<I>,
    scope: Option<ScopeLayer>,
    #[cfg(feature = "cors")]
    cors: Option<tower_http::cors::CorsLayer>,
    inside: Inside<L, J>,
}

/// What is behind the enforcement.
struct Inside<L, J> {
    parts: Arc<Parts<L>>,
    /// Introspects what a user types.
    introspect: J,
}

#[derive(Clone)]
struct Parts<L> {
    index: crate::enforce::Index,
    administration: Administration<L>,
    sightings: Sightings,
    handles: Handles,
    path: String,
}

impl<L, I, J> OwnSessions<L, I, J> {
    /// Checks the token of a request by `enforcement`, whose policy it replaces, and states by `index`
    /// which sessions live. Introspects by `introspect` the tokens that users type, refresh tokens too
    /// if it knows them. Revokes by `administration`.
    pub fn new(
        enforcement: EnforcementLayer<I>,
        index: crate::enforce::Index,
        introspect: J,
        administration: Administration<L>,
        sightings: Sightings,
        handles: Handles,
    ) -> Self {
        // A response about the end of the current session is whole.
        let policy = |_: &hyper::http::request::Parts| Policy::new().cut_streams(false);
        Self {
            enforcement: enforcement.respond_in_http(true).policy_by(policy),
            scope: None,
            #[cfg(feature = "cors")]
            cors: None,
            inside: Inside {
                introspect,
                parts: Arc::new(Parts {
                    index,
                    administration,
                    sightings,
                    handles,
                    path: "/v1/me".to_owned(),
                }),
            },
        }
    }

    /// Requires this scope of the token: see [`ScopeLayer`]. Defaults to none.
    ///
    /// # Panics
    ///
    /// Panics if `scope` is not one scope (RFC 6749 §3.3).
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = Some(ScopeLayer::new(scope).respond_in_http(true));
        self
    }

    /// Lets scripts of these origins call it, with a token and without cookies. Defaults to none, so a
    /// script must be of the same origin.
    ///
    /// `*` is every origin.
    #[cfg(feature = "cors")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cors")))]
    pub fn cors(mut self, origins: impl IntoIterator<Item = hyper::header::HeaderValue>) -> Self {
        use hyper::Method;

        let policy = crate::endpoint::cors_policy(origins);
        self.cors = Some(policy.allow_methods([Method::GET, Method::POST, Method::DELETE]));
        self
    }
}

impl<L: Clone, I, J> OwnSessions<L, I, J> {
    /// Sets what the paths begin with. Defaults to `/v1/me`. Paths are compared **byte for byte**, and
    /// others are 404.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.inside.parts).path = path.into();
        self
    }
}

impl<L, I: Clone, J: Clone> Clone for OwnSessions<L, I, J> {
    fn clone(&self) -> Self {
        Self {
            enforcement: self.enforcement.clone(),
            scope: self.scope.clone(),
            #[cfg(feature = "cors")]
            cors: self.cors.clone(),
            inside: self.inside.clone(),
        }
    }
}

impl<L, J: Clone> Clone for Inside<L, J> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            introspect: self.introspect.clone(),
        }
    }
}

impl<L, I, J> fmt::Debug for OwnSessions<L, I, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnSessions")
            .field("path", &self.inside.parts.path)
            .field("sightings", &self.inside.parts.sightings)
            .finish_non_exhaustive()
    }
}
