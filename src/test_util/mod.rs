//! A fake issuer for your own tests: keys, tokens, a clock and, if you want, a server.
//!
//! [`TestIssuer`] generates a key and signs access tokens of RFC 9068. [`TestIssuer::tokens`] is the
//! introspection that trusts this key. It needs no network. Every token is valid unless the test
//! changes it:
//!
//! ```
//! use std::convert::Infallible;
//!
//! use http_body_util::Empty;
//! use hyper::{Request, Response, StatusCode, body::Bytes};
//! use tower::{BoxError, Layer, Service, ServiceExt, service_fn};
//! use tower_revocation::{
//!     enforce::{EnforcementLayer, Index},
//!     introspect::Introspection,
//!     log::{MemoryLog, NumericDate, Revocation, RevocationLog, Selector},
//!     test_util::TestIssuer,
//! };
//!
//! /// The API under test: it returns the subject of the token.
//! async fn whoami(request: Request<Empty<Bytes>>) -> Result<Response<String>, Infallible> {
//!     let token = request.extensions().get::<Introspection>();
//!     let subject = token.and_then(|token| token.sub.clone());
//!     Ok(Response::new(subject.unwrap_or_default()))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let issuer = TestIssuer::new("https://issuer.test");
//! let log = MemoryLog::new();
//! let index = Index::follow(&log).await?;
//! let api = EnforcementLayer::new(issuer.tokens(), index).layer(service_fn(whoami));
//! let status = async |token: &str| {
//!     let request = Request::get("/me")
//!         .header("authorization", format!("Bearer {token}"))
//!         .body(Empty::new())?;
//!     let response = api.clone().oneshot(request).await?;
//!     Ok::<_, BoxError>(response.status())
//! };
//!
//! // A live token.
//! let token = issuer.token().subject("alice").grant("g1").sign();
//! assert_eq!(status(&token).await?, StatusCode::OK);
//!
//! // Its grant is revoked.
//! let record = Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER);
//! log.append(vec![record]).await?;
//! assert_eq!(status(&token).await?, StatusCode::UNAUTHORIZED);
//!
//! // Wrong tokens.
//! let expired = issuer.token().expired().sign();
//! let forged = issuer.token().forged().sign();
//! let elsewhere = issuer.token().audience("https://other.test").sign();
//! for token in [expired, forged, elsewhere] {
//!     assert_eq!(status(&token).await?, StatusCode::UNAUTHORIZED);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! **Enable the feature `test-util` in `[dev-dependencies]` only.** It adds this module and changes
//! nothing else:
//!
//! ```toml
//! [dev-dependencies]
//! tower-revocation = { version = "0.1", features = ["test-util"] }
//! ```

mod clock;
mod issuer;
mod key;
mod server;
mod token;

pub use clock::TestClock;
pub use issuer::TestIssuer;
pub use server::TestIssuerServer;
pub use token::TestToken;
