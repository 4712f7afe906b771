//! A layer that refuses revoked tokens, and the index that it checks.
//!
//! For each request [`EnforcementLayer`] introspects the token and checks the [`Index`]: a copy of
//! the log in memory, so a check needs no network and no disk.
//!
//! ```
//! use std::time::Duration;
//! use axum::{Extension, Router, routing::get};
//! use tower::{BoxError, Layer};
//! use tower_revocation::{
//!     RevocationLayer,
//!     client::registry::{ClientAuthenticator, Registry},
//!     enforce::{EnforcementLayer, Index},
//!     introspect::{Introspection, jwt::{Audience, Dialect, JwtTokens}},
//!     log::EmbeddedLog,
//!     revoke::RecordRevocation,
//! };
//!
//! async fn me(Extension(token): Extension<Introspection>) -> String {
//!     token.sub.clone().unwrap_or_default()
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("revocations.redb");
//! let issuer = "https://sso.example.com/realms/main";
//! let tokens = JwtTokens::discover(issuer, Audience::any_of(["https://api.example.com"]))?
//!     .dialect(Dialect::keycloak());
//! let log = EmbeddedLog::open(path)?.sweep_every(Duration::from_secs(60));
//! let index = Index::follow(&log).await?;
//!
//! let clients = ClientAuthenticator::new(Registry::default());
//! let backend = RecordRevocation::new(tokens.clone(), log);
//! let backend = backend.longest_lifetime(Duration::from_secs(86_400));
//! let revocation = RevocationLayer::new("/oauth2/revoke", clients, backend);
//! let enforcement = EnforcementLayer::new(tokens, index);
//! let api: Router = Router::new().route("/me", get(me)).layer(enforcement);
//! let app = revocation.layer(api);
//! # let _ = app;
//! # Ok(())
//! # }
//! ```
//!
//! * **[`Index::follow`]** returns once the log has been read. [`Index::readiness`] is for health
//!   checks.
//! * **Your own token table** needs no log and no index: see
//!   [`EnforcementLayer::by_introspection`].
//! * **[`ScopeLayer`]** requires scopes on some routes.
//! * **[`Policy`]** sets what differs from route to route.
//! * **Streams end with their token**, within a second. Response bodies need nothing. A WebSocket
//!   has no response body: over HTTP/1.1 wrap the accepted connections in [`Abortable`]. Or let the
//!   handler wait for the end of the [`TokenLife`] in the extensions of its request.
//! * **The log grows** until it is swept, and records about more than one token are kept forever
//!   without `RecordRevocation::longest_lifetime`. In production, open the log with
//!   `EmbeddedLog::open_existing` once it exists: `EmbeddedLog::open` creates an empty log if the
//!   volume is not mounted. `RevocationLog::health` is the readiness for revocations.
//! * **Keys** of an issuer are fetched by `https`.
//! * **Administrators** revoke tokens without having them, by subject, client, key and more:
//!   `revoke::Administration`.
//!
//! # Events
//!
//! With the feature `tracing`, each refused request is one event of the target `tower_revocation`.
//! A request that passes is no event. The fields are:
//!
//! * `verdict`: what was decided, see [`Verdict`].
//! * `selector`: the class of the record that covers the token.
//! * `reason`: why the token is `invalid`, see [`Reason`](crate::introspect::Reason).
//! * `client_id`, `token` (a fingerprint, never the token) and `cause`.
//!
//! The level is `ERROR` if the state of the token is unknown, `WARN` for a revoked token, `DEBUG`
//! for a request without a token, and `INFO` for all others.

mod bearer;
mod body_error;
mod challenge;
mod clock;
mod connection;
mod freshness;
mod future;
#[cfg(feature = "metrics")]
mod gauges;
mod index;
mod judge;
mod layer;
mod life;
mod observe;
mod policy;
mod protocol;
mod response;
mod scope;
mod service;
mod settings;
mod stream;
mod sync;
mod table;
mod tag;
mod verdict;
mod verified;
mod watch;

pub use body_error::BodyError;
pub use connection::{Abortable, Connection};
pub use freshness::{Freshness, Readiness};
pub use future::EnforcementFuture;
pub use index::Index;
#[cfg(feature = "profiles")]
pub(crate) use judge::is_live;
pub use layer::EnforcementLayer;
pub use life::{TokenEnd, TokenLife};
pub use policy::{Policy, WhenUnknown};
pub use scope::{ScopeFuture, ScopeLayer, ScopeService};
pub use service::EnforcementService;
pub use stream::EnforcedBody;
pub use verdict::{Refused, Verdict};
pub use verified::Verified;
pub use watch::End;
