//! OAuth 2.0 token revocation ([RFC 7009]) as a [Tower](tower) layer.
//!
//! Two layers go around any service of HTTP requests, such as axum, hyper or tonic:
//!
//! * [`RevocationLayer`] adds a revocation endpoint. It handles the requests on one path and passes
//!   every other request to the inner service unchanged.
//! * `enforce::EnforcementLayer` refuses requests whose token is revoked, expired or not genuine.
//!
//! ```
//! use axum::{Router, routing::get};
//! use tower::{BoxError, Layer, ServiceExt, service_fn};
//! use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! // Which client sends this request? `None`: the credentials are not those of a client.
//! let authenticator = service_fn(async |request: hyper::Request<Credentials>| {
//!     Ok::<_, BoxError>(match request.into_body() {
//!         Credentials::ClientId { client_id } if client_id == "spa-1" => Some(client_id),
//!         _ => None,
//!     })
//! });
//! // Is it a token of this client? Revoke it, and return once that is durable.
//! let backend = service_fn(async |request: RevocationRequest<String>| {
//!     Ok::<_, BoxError>(match request.token.expose() {
//!         "45ghiukldjahdnhzdauz" if request.client == "spa-1" => Outcome::Revoked,
//!         _ => Outcome::NotFound,
//!     })
//! });
//!
//! let router: Router = Router::new().route("/", get(async || "hello"));
//! let app = RevocationLayer::new("/oauth2/revoke", authenticator, backend).layer(router);
//! // axum::serve(listener, Router::new().fallback_service(app))
//!
//! let request = hyper::Request::post("/oauth2/revoke")
//!     .header("content-type", "application/x-www-form-urlencoded")
//!     .body("token=45ghiukldjahdnhzdauz&client_id=spa-1".to_owned())?;
//! assert_eq!(app.oneshot(request).await?.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! The README has four complete programs: for tokens in your own table, for JWTs of an issuer, for
//! opaque tokens of another server, and for an authorization server of your own.
//!
//! # How a token is revoked
//!
//! 1. **Endpoint.** Checks the method, the media type, the size and the form. It reads the body
//!    only if the head of the request is acceptable.
//! 2. **Client.** The authenticator gets the [`Credentials`](client::Credentials) and returns the
//!    client. The token is not looked up before that.
//! 3. **Backend.** It gets a [`RevocationRequest`], compares the owner of the token with the
//!    client, and revokes the token. [`ByHint`] combines several backends.
//! 4. **Response.** 200 if the token is durably revoked, or is certainly not a live token of this
//!    server. Otherwise the response says what is wrong, and has an [`Error`] in its extensions. If
//!    the authenticator or the backend fails, the response is 503 with `Retry-After`, unless their
//!    error contains an [`Error`] of another kind.
//!
//! The authenticator and the backend are Tower services. Write your own, or use those of this
//! crate.
//!
//! # How a revoked token is refused
//!
//! For each request `enforce::EnforcementLayer` introspects the token, and then checks an
//! `enforce::Index`: a copy of the log in memory. The log has records about tokens, grants,
//! sessions, subjects, clients, keys and issuers. One record that matches is enough to refuse the
//! token.
//!
//! * **A revoked token** is 401 `invalid_token`, or `UNAUTHENTICATED` in gRPC. This process refuses
//!   it as soon as the record is appended. A revocation that is in no log that the index follows
//!   has no effect here, unless the introspection reports it.
//! * **An unknown state** is 503 with `Retry-After`, or `UNAVAILABLE`, and never accepted: before
//!   the log has been read, while a log that others append to does not answer, and while the keys of the
//!   issuer, or the server that introspects, cannot be reached.
//! * **An open stream** ends within a second of the revocation. A WebSocket ends only if the
//!   connection is wrapped: see `enforce`.
//!
//! # Where to find what
//!
//! | module | what it has | feature |
//! |---|---|---|
//! | [`client`] | the credentials of a request, and which methods there are | |
//! | `client::registry` | registered clients (RFC 7591) | `registry` |
//! | `client::assertion`, `client::replay` | `private_key_jwt`, `client_secret_jwt`, and what can be used once | `jwt` |
//! | `client::certificate` | `tls_client_auth`, `self_signed_tls_client_auth` | `mtls` |
//! | `client::attestation` | `attest_jwt_client_auth` | `attestation` |
//! | `client::password` | secrets that people chose | `password-hashes` |
//! | `client::limit` | limits for failed authentication | `limiter` |
//! | `log` | the durable record of what is revoked | `log`, `embedded` (in a file), `postgres`, `redis`, `feed` (shared) |
//! | `introspect` | what a token is, and whose | `log` |
//! | `introspect::issued` | tokens of your own authorization server | `issued` |
//! | `introspect::jwt`, `jose` | JWTs of an issuer, and its keys | `jwt` |
//! | `introspect::upstream` | tokens of another server (RFC 7662) | `upstream` |
//! | `revoke` | backends that append to the log, and requests of administrators | `log` |
//! | `enforce` | the layer that refuses tokens, and the index | `log` |
//! | `sightings` | which tokens were used here, for administrators and users | `sightings` |
//! | `admin` | orders of administrators over HTTP | `admin` |
//! | `notify` | tells issuers about orders, so that they end refresh tokens | `notify` |
//! | `admin::AdminPages`, `admin::OwnPages` | pages for administrators and users, without scripts | `pages` |
//! | `profiles` | the revocation calls of other systems | `profiles` |
//! | `observe` | the series for monitoring | `metrics` |
//! | `proxy` | a reverse proxy, a server whose connections are bounded, and the decision for proxies of others | `proxy`, `ext-authz` |
//! | `outbound` | the HTTPS client: which addresses, certificates and limits it accepts | `jwt` |
//! | `test_util` | a fake issuer for your own tests | `test-util` |
//! | `guide` | how to mount, operate and observe it, in the documentation only | all |
//!
//! Further features: `metadata` (RFC 8414), `cors`, `tracing`, `tls-aws-lc-rs` and `tls-ring` (the
//! crypto provider for `https`), and `zeroize` (the default: wipes a [`Secret`] when it is
//! dropped). A feature adds API and never changes a response.
//!
//! # Readiness, time and panics
//!
//! The service is ready when the inner service is ready. The authenticator and the backend are
//! cloned for each request, and the clone is awaited until it is ready. **Without a
//! [`timer`](RevocationLayer::timer) there is no time-out.** Panics are not caught: tower-http's
//! `CatchPanicLayer` around the layer turns them into 500.
//!
//! [RFC 7009]: https://www.rfc-editor.org/rfc/rfc7009
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "admin")]
#[cfg_attr(docsrs, doc(cfg(feature = "admin")))]
pub mod admin;
mod ask;
mod body;
mod by_hint;
mod challenge;
pub mod client;
mod date;
mod endpoint;
#[cfg(feature = "log")]
#[cfg_attr(docsrs, doc(cfg(feature = "log")))]
pub mod enforce;
mod error;
mod form;
mod future;
// Its pages link to items of these features.
#[cfg(all(
    any(doc, doctest),
    feature = "embedded",
    feature = "metrics",
    feature = "postgres",
    feature = "tracing",
    feature = "upstream",
))]
pub mod guide;
#[cfg(feature = "log")]
#[cfg_attr(docsrs, doc(cfg(feature = "log")))]
pub mod introspect;
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub mod jose;
// loom tests it without the dependencies of `jwt`.
#[cfg(all(test, loom))]
#[path = "jose/remote/cache/validity.rs"]
mod keys_validity;
mod layer;
#[cfg(feature = "log")]
#[cfg_attr(docsrs, doc(cfg(feature = "log")))]
pub mod log;
#[cfg(feature = "metadata")]
mod metadata;
#[cfg(feature = "notify")]
#[cfg_attr(docsrs, doc(cfg(feature = "notify")))]
pub mod notify;
#[cfg(all(feature = "tracing", not(feature = "metrics")))]
mod observe;
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub mod observe;
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub mod outbound;
#[cfg(feature = "profiles")]
#[cfg_attr(docsrs, doc(cfg(feature = "profiles")))]
pub mod profiles;
#[cfg(feature = "proxy")]
#[cfg_attr(docsrs, doc(cfg(feature = "proxy")))]
pub mod proxy;
mod refusal;
#[cfg(feature = "log")]
#[cfg_attr(docsrs, doc(cfg(feature = "log")))]
pub mod revoke;
mod service;
#[cfg(feature = "sightings")]
#[cfg_attr(docsrs, doc(cfg(feature = "sightings")))]
pub mod sightings;
#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub mod test_util;
#[cfg(any(
    feature = "feed",
    feature = "jwt",
    feature = "postgres",
    feature = "proxy",
    feature = "redis"
))]
mod tls;
mod token;

pub use body::ResponseBody;
pub use by_hint::{ByHint, ByHintFuture};
pub use endpoint::{Endpoint, EndpointFuture, SuccessBody};
pub use error::{Error, ErrorKind};
pub use future::ResponseFuture;
pub use layer::RevocationLayer;
#[cfg(feature = "metadata")]
#[cfg_attr(docsrs, doc(cfg(feature = "metadata")))]
pub use metadata::{Metadata, MetadataLayer, MetadataService, MtlsEndpointAliases};
pub use service::RevocationService;
pub use token::{BackendExtensions, Outcome, RevocationRequest, Secret, TokenTypeHint};
