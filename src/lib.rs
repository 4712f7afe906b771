//! OAuth 2.0 token revocation ([RFC 7009]) as a [Tower](tower) layer.
//!
//! [`RevocationLayer`] answers the requests on one path and passes every other one through
//! untouched. It goes around any service of HTTP requests: hyper, axum, tonic, a gateway.
//!
//! ```
//! use axum::{Router, routing::get};
//! use tower::{BoxError, Layer, ServiceExt, service_fn};
//! use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! // Who is asking? `None`: not that client, for whatever reason.
//! let authenticator = service_fn(async |request: hyper::Request<Credentials>| {
//!     Ok::<_, BoxError>(match request.into_body() {
//!         Credentials::ClientId { client_id } if client_id == "spa-1" => Some(client_id),
//!         _ => None,
//!     })
//! });
//! // Whose token is it, and what became of it?
//! let backend = service_fn(async |request: RevocationRequest<String>| {
//!     Ok::<_, BoxError>(match request.token.expose() {
//!         "45ghiukldjahdnhzdauz" if request.client == "spa-1" => Outcome::Revoked,
//!         _ => Outcome::NotFound,
//!     })
//! });
//!
//! let router: Router = Router::new().route("/", get(async || "hello"));
//! let app = RevocationLayer::new("/oauth2/revoke", authenticator, backend).layer(router);
//!
//! let request = hyper::Request::post("/oauth2/revoke")
//!     .header("content-type", "application/x-www-form-urlencoded")
//!     .body("token=45ghiukldjahdnhzdauz&client_id=spa-1".to_owned())?;
//! assert_eq!(app.oneshot(request).await?.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! # The conversation
//!
//! Four steps, in this order, for every revocation:
//!
//! 1. **Endpoint.** Method, media type, size, one strict form. What the head decides is answered
//!    before the body is asked for.
//! 2. **Client.** The [`Credentials`](client::Credentials) go to the authenticator. Nothing about
//!    the token is looked up before it has answered.
//! 3. **Backend.** A [`RevocationRequest`] goes to the backend: whose token is it, and what falls
//!    with it? [`ByHint`] puts several key spaces behind one backend.
//! 4. **Answer.** 200 if the token is durably revoked or certainly not a live token of ours; an
//!    [`Error`] otherwise. An error of the authenticator or the backend is 503 with `Retry-After`,
//!    unless it carries an [`Error`] that says better.
//!
//! The authenticator and the backend are plain Tower services: bring your own, or take what is
//! here.
//!
//! | feature | what it adds |
//! |---|---|
//! | `zeroize` (default) | a [`Secret`] is wiped from memory when it is dropped |
//! | `registry` | `client::registry`: registered clients in the terms of RFC 7591 |
//! | `jwt` | `client::assertion`: `private_key_jwt` and `client_secret_jwt`; `client::replay`: what may be used once; `introspect::jwt`: self-contained access tokens; `jose`: keys, also from a `jwks_uri` |
//! | `mtls` | `client::certificate`: `tls_client_auth` and `self_signed_tls_client_auth` |
//! | `attestation` | `client::attestation`: attestation-based client authentication |
//! | `password-hashes` | `client::password`: secrets that people chose |
//! | `limiter` | `client::limit`: too many failures of one client from one address are 429 |
//! | `metadata` | `Metadata`: what the endpoint accepts (RFC 8414), as data or as a route |
//! | `log` | `log`: the record of what was revoked; `revoke`: `RecordRevocation`, the backend that appends to it, and `Administration`, orders of operators; `enforce`: `Index`, the log in memory, and `EnforcementLayer`, which refuses revoked tokens |
//! | `embedded` | `log::EmbeddedLog`: the log in one file, durable before it answers |
//! | `issued` | `introspect::issued`: tokens registered by your authorization server, hashed at rest |
//! | `upstream` | `introspect::upstream`: tokens that another server knows (RFC 7662) |
//! | `tls-aws-lc-rs`, `tls-ring` | the crypto provider with which `jwt` and `upstream` speak `https`, see `jose::RemoteKeys` |
//! | `cors` | `RevocationLayer::cors`: browser apps may revoke across origins |
//! | `tracing`, `metrics` | one event, and one count, for every request on the path |
//!
//! A feature adds API and never changes an answer.
//!
//! # Enforcement
//!
//! A second layer, `enforce::EnforcementLayer`, refuses what was revoked. For every request it
//! introspects the token (is it genuine?), and asks an `enforce::Index` of the log, in memory,
//! about each of its selectors: token, grant, session, subject, client, key, issuer. Any one
//! suffices.
//!
//! * **Revoked is refused** in this process from the moment that the append has returned. The
//!   answer is 401 `invalid_token`, or `UNAUTHENTICATED` for gRPC. What was revoked elsewhere, and
//!   recorded in no log that the index follows, is not known here.
//! * **Unknown is not live.** It is 503 with `Retry-After`, or `UNAVAILABLE`: before the log has
//!   been read, while a log that others append to is silent, and when the issuer's keys, or the
//!   server that is asked, cannot be had. `Index::follow` returns once the log has been read;
//!   `Index::readiness` is for health checks, and `enforce::Policy` for routes that differ.
//! * **Streams end with their token**, within a second. Bodies of responses need nothing. A
//!   WebSocket has none: over HTTP/1.1 wrap the connections that you accept in
//!   `enforce::Severable`, or else have its handler wait for the end of the `enforce::TokenLife`
//!   that is in the extensions of its request.
//! * **Operators** end what nobody presents by `revoke::Administration`: all tokens of a user, a
//!   client, a key.
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
//! let log = EmbeddedLog::open(path)?;
//! let index = Index::follow(&log).await?;
//!
//! let clients = ClientAuthenticator::new(Registry::default());
//! let record = RecordRevocation::new(tokens.clone(), log).longest_lifetime(Duration::from_secs(86_400));
//! let revocation = RevocationLayer::new("/oauth2/revoke", clients, record);
//! let enforcement = EnforcementLayer::new(tokens, index);
//! let api: Router = Router::new().route("/me", get(me)).layer(enforcement);
//! let app = revocation.layer(api);
//! # let _ = app;
//! # Ok(())
//! # }
//! ```
//!
//! Keys are fetched by `https`, from public addresses unless `JwtTokens::remote_keys` says
//! otherwise. Records stay in the log until it is swept: call `EmbeddedLog::sweep_every`, and say
//! `RecordRevocation::longest_lifetime`, or those about more than one token are kept for ever. In production,
//! open the log with `EmbeddedLog::open_existing` once it has been made: with `open`, a volume that
//! is not mounted becomes an empty log. `RevocationLog::health` is readiness for revocation.
//! `examples/gateway` does so for an API that stands behind it.
//!
//! # Mounting it in axum
//!
//! The layer compares `uri().path()`, and axum decides what it gets to see. These intercept:
//!
//! * `layer.layer(router)`: around the whole application. **Prefer this**: nothing can be beside
//!   it. Where a router is wanted, as by `axum::serve`, make it the only thing in another one:
//!   `Router::new().fallback_service(layer.layer(router))`.
//! * `router.fallback(..).layer(layer)`: the layer after the fallback has been set.
//! * `router.nest_service("/oauth", layer.layer(inner))`: the layer sees the stripped path, so it
//!   is configured with `/revoke` to answer on `/oauth/revoke`.
//! * `plain.merge(router.fallback(..).layer(layer))`
//! * `router.route_service("/oauth2/revoke", layer.into_endpoint())`: the endpoint alone, as a
//!   route.
//!
//! These do not, silently, because axum calls a router's layers only for what that router has a
//! route or a fallback for:
//!
//! * `router.route_layer(layer)`
//! * `router.layer(layer).fallback(..)`: the fallback is set too late.
//! * `router.nest("/oauth", layered)`, where the nested router has neither a fallback nor that
//!   route.
//! * `layered.merge(plain)`
//!
//! # Addresses and certificates
//!
//! What goes by the peer's address or by its certificate finds them in the extensions of the
//! request: [`PeerAddr`](client::PeerAddr), and the `ClientCertificate` of `client::certificate`.
//! Whoever accepts connections puts them there. `examples/authorization_server` does both, with
//! rustls; behind a proxy that ends TLS, a `CertificateFieldsLayer` reads what the proxy reports.
//!
//! # Putting it together
//!
//! From the outside in: addresses, certificates, the layer, the application. The limiter goes
//! around the *authenticator*, which alone knows what a failure is.
//!
//! ```
//! # use tower_revocation::{Outcome, RevocationRequest, client::registry::Client};
//! use std::net::{IpAddr, SocketAddr};
//! use axum::{Router, extract::{ConnectInfo, Request}, routing::get};
//! use hyper_util::rt::TokioTimer;
//! use tower::{BoxError, Layer, ServiceExt, service_fn, util::MapRequestLayer};
//! use tower_revocation::{MetadataLayer, RevocationLayer, client::{
//!     ClientAddr, PeerAddr, assertion::Assertions,
//!     certificate::{CertificateFieldsLayer, CertificateForm, Network},
//!     limit::LimitFailuresLayer, registry::{ClientAuthenticator, Registry},
//! }};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! # let backend = service_fn(async |_: RevocationRequest<std::sync::Arc<Client>>| {
//! #     Ok::<_, BoxError>(Outcome::NotFound)
//! # });
//! # let clients = r#"{ "client_id": "spa-1", "token_endpoint_auth_method": "none" }"#;
//! # let (document, router) = (serde_json::Map::new(), Router::new().route("/", get(async || "hello")));
//! let issuer = "https://as.example.com";
//! let authenticator = ClientAuthenticator::new(Registry::from_json(clients)?)
//!     .assertions(Assertions::new(issuer))
//!     .certificates();
//! let authenticator = LimitFailuresLayer::new().layer(authenticator);
//! let revocation = RevocationLayer::new("/oauth2/revoke", authenticator, backend)
//!     .timer(TokioTimer::new());
//! let metadata = revocation.metadata(format!("{issuer}/oauth2/revoke"));
//! let metadata = MetadataLayer::new(issuer, &metadata, document);
//!
//! let proxy: Network = "10.0.0.0/8".parse()?;
//! let fields = CertificateFieldsLayer::new(CertificateForm::ClientCert, [proxy]);
//! let addresses = MapRequestLayer::new(move |mut request: Request| {
//!     if let Some(&ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
//!         // The last one is what the proxy saw itself; those before it anybody may have written.
//!         let field = request.headers().get_all("x-forwarded-for").iter().next_back();
//!         let last = field.and_then(|field| field.to_str().ok()?.rsplit(',').next());
//!         let client = last.and_then(|last| last.trim().parse::<IpAddr>().ok());
//!         request.extensions_mut().insert(PeerAddr(peer));
//!         if let Some(client) = client.filter(|_| proxy.contains(peer.ip())) {
//!             request.extensions_mut().insert(ClientAddr(client));
//!         }
//!     }
//!     request
//! });
//! let app = addresses.layer(fields.layer(metadata.layer(revocation.layer(router))));
//! // axum::serve(listener, Router::new().fallback_service(app)
//! //     .into_make_service_with_connect_info::<SocketAddr>())
//! # use hyper::{StatusCode, header::CONTENT_TYPE};
//! # let request = |client_id| {
//! #     Request::post("/oauth2/revoke")
//! #         .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
//! #         .header("x-forwarded-for", "203.0.113.7, 198.51.100.1")
//! #         .extension(ConnectInfo(SocketAddr::from(([10, 0, 0, 2], 40000))))
//! #         .body(axum::body::Body::from(format!("token=t&client_id={client_id}")))
//! # };
//! # assert_eq!(app.clone().oneshot(request("spa-1")?).await?.status(), StatusCode::OK);
//! # for _ in 0..10 {
//! #     let answer = app.clone().oneshot(request("nobody")?).await?;
//! #     assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
//! # }
//! # let limited = app.clone().oneshot(request("nobody")?).await?;
//! # assert_eq!(limited.status(), StatusCode::TOO_MANY_REQUESTS);
//! # let well_known = Request::get("/.well-known/oauth-authorization-server");
//! # let metadata = app.oneshot(well_known.body(axum::body::Body::empty())?).await?;
//! # assert_eq!(metadata.status(), StatusCode::OK);
//! # Ok(())
//! # }
//! ```
//!
//! # Spawned connections
//!
//! Closures and boxed services whose error is [`BoxError`](tower::BoxError) work as authenticator,
//! backend and introspection, also in `tokio::spawn(async move { .. })` around a connection of
//! hyper. In such a block the compiler does not know that the lifetime in a `BoxError` is `'static`,
//! and rejects code that depends on it with "implementation of `From` is not general enough". Three
//! cases remain:
//!
//! * The inner service. hyper itself rejects one whose error is `BoxError`. Return
//!   [`Infallible`](std::convert::Infallible) or an error type of your own, or spawn the connection
//!   without a block around it: `tokio::spawn(connection)`.
//! * The body of the request. If a layer outside replaces it by one whose error is `BoxError`, not
//!   even closures accept each other's requests there. Let that layer map the error to a type of
//!   your own. Response bodies may have any error.
//! * A [`ByHint`], `ByFormat` or `RecordRevocation` that your own block calls. Put it into a
//!   [`BoxCloneSyncService`](tower::util::BoxCloneSyncService) first.
//!
//! # Readiness, time and panics
//!
//! The service is as ready as the inner service. Authenticator and backend are cloned for a request
//! and waited for until they are ready. Without a [`timer`](RevocationLayer::timer) there is no
//! time-out. Panics are not caught; tower-http's `CatchPanicLayer` around the layer makes them 500.
//!
//! # Events and counters
//!
//! With the feature `tracing`, every request on the path is one event of the target
//! `tower_revocation`, with these fields:
//!
//! * `outcome`: `revoked`, `not_found`, `issued_to_another` or `unsupported`, as the backend
//!   answered; `refused` for what the peer did wrong; `failed` for what was our fault; `options`,
//!   `preflight`; `cancelled` if the peer went away, `panicked` if the authenticator or the backend
//!   did.
//! * `error`: the [`ErrorKind`]; `reason`: the [`Refusal`](client::Refusal) of a client that was
//!   not authenticated; `cause`: the whole chain, which the peer never sees.
//! * `client_id`: as claimed, verified or not, cut to 128 characters and escaped.
//! * `token`: a fingerprint (`RevocationLayer::fingerprint_key`), never the token.
//! * `duration`: seconds.
//!
//! Of enforcement there are, with `tracing`:
//!
//! * an event for every request that is refused, of the same target: `verdict`, `selector` (the
//!   class of the record that covers the token), `reason` (why the token is `invalid`, see
//!   `introspect::Reason`), `client_id`, `token` (a fingerprint) and `cause`.
//!   Its level is `ERROR` for what is unknown, `WARN` for a revoked token, `DEBUG` for a request
//!   without a token, and `INFO` for the others. A request that passes is no event.
//! * an event for every order of an operator: `outcome`, `class`, whom it is about, `reason`,
//!   `actor` and the position. The documentation of `revoke` has all of them.
//! * an event for every revocation for which there was no room, with the `reason`: `ceiling` of the
//!   log (level `ERROR`), or `quota` of a client (level `WARN`).
//! * an event of the level `ERROR` when the log in a file cannot be written, with the `cause` and
//!   `retry_after`, and of the level `WARN` when it can again, or when sweeping is held because the
//!   clock has jumped. The documentation of `log` has more.
//!
//! With the feature `metrics`, the module `observe` lists all series, with their labels and units.
//!
//! [RFC 7009]: https://www.rfc-editor.org/rfc/rfc7009
#![cfg_attr(docsrs, feature(doc_cfg))]

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
#[cfg(feature = "log")]
#[cfg_attr(docsrs, doc(cfg(feature = "log")))]
pub mod introspect;
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub mod jose;
mod layer;
#[cfg(feature = "log")]
#[cfg_attr(docsrs, doc(cfg(feature = "log")))]
pub mod log;
#[cfg(feature = "metadata")]
mod metadata;
#[cfg(all(feature = "tracing", not(feature = "metrics")))]
mod observe;
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub mod observe;
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub mod outbound;
mod refusal;
#[cfg(feature = "log")]
#[cfg_attr(docsrs, doc(cfg(feature = "log")))]
pub mod revoke;
mod service;
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
pub use token::{Outcome, RevocationRequest, Secret, TokenTypeHint};
