//! Addresses and certificates of clients, limits for failures, and all parts together.
//!
//! Some parts need the address of the peer or its certificate. They read them from the extensions
//! of the request: [`PeerAddr`](crate::client::PeerAddr),
//! [`ClientAddr`](crate::client::ClientAddr), and the `ClientCertificate` of `client::certificate`.
//! The code that accepts connections inserts them. `examples/authorization_server` does both with
//! rustls. Behind a proxy that terminates TLS, a `CertificateFieldsLayer` reads the fields of the
//! proxy.
//!
//! From the outside in, the order is: addresses, certificates, the revocation layer, the
//! application. `LimitFailuresLayer` goes around the *authenticator*: only the authenticator knows
//! what a failure is.
//!
//! ```
//! # use tower_revocation::{Outcome, RevocationRequest, client::registry::Client};
//! use std::net::{IpAddr, SocketAddr};
//! use axum::{Router, extract::{ConnectInfo, Request}, routing::get};
//! use hyper_util::rt::TokioTimer;
//! use tower::{BoxError, Layer, ServiceExt, service_fn, util::MapRequestLayer};
//! use tower_revocation::{MetadataLayer, RevocationLayer, client::{
//!     ClientAddr, Network, PeerAddr, assertion::Assertions,
//!     certificate::{CertificateFieldsLayer, CertificateFormat},
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
//! let fields = CertificateFieldsLayer::new(CertificateFormat::ClientCert, [proxy]);
//! let addresses = MapRequestLayer::new(move |mut request: Request| {
//!     if let Some(&ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
//!         // The proxy adds the last address. The client can write those before it.
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
//! #     let response = app.clone().oneshot(request("nobody")?).await?;
//! #     assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//! # }
//! # let limited = app.clone().oneshot(request("nobody")?).await?;
//! # assert_eq!(limited.status(), StatusCode::TOO_MANY_REQUESTS);
//! # let well_known = Request::get("/.well-known/oauth-authorization-server");
//! # let metadata = app.oneshot(well_known.body(axum::body::Body::empty())?).await?;
//! # assert_eq!(metadata.status(), StatusCode::OK);
//! # Ok(())
//! # }
//! ```
