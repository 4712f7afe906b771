//! APIs with access tokens of WSO2.
//!
//! The API verifies JWT access tokens of WSO2 Identity Server, API Manager or Asgardeo. Opaque
//! tokens need introspection instead: see [`introspect::upstream`](crate::introspect::upstream).
//!
//! ```
//! use tower_revocation::introspect::jwt::{Audience, Dialect, JwtTokens};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = "https://is.example.com/oauth2/token";
//! let tokens = JwtTokens::discover(issuer, Audience::any_of(["https://api.example.com"]))?
//!     .dialect(Dialect::wso2());
//! # let _ = tokens;
//! # Ok(())
//! # }
//! ```
//!
//! `examples/jwt.rs` is a complete program.
//! [`Dialect::wso2`](crate::introspect::jwt::Dialect::wso2) lists the claims.
//!
//! # Audience
//!
//! By default `aud` is the client. Configure audiences for the application, and name your API
//! here. An ID token has the same audience, but no `aut` claim, which this dialect requires.
//!
//! # Refresh tokens
//!
//! WSO2's refresh tokens are opaque. Forward their revocation to WSO2:
//!
//! ```
//! use std::time::Duration;
//! use tower_revocation::{
//!     introspect::jwt::{Audience, Dialect, JwtTokens},
//!     log::EmbeddedLog,
//!     revoke::{ForwardRevocation, RecordRevocation},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("revocations.redb");
//! let issuer = "https://is.example.com/oauth2/token";
//! let tokens = JwtTokens::discover(issuer, Audience::any_of(["https://api.example.com"]))?
//!     .dialect(Dialect::wso2());
//! // No token lives longer than this, refresh tokens included.
//! let longest_lifetime = Duration::from_secs(30 * 24 * 60 * 60);
//! let record = RecordRevocation::new(tokens, EmbeddedLog::open(path)?);
//! let record = record.longest_lifetime(longest_lifetime);
//! let backend = ForwardRevocation::new("https://is.example.com/oauth2/revoke", record)?;
//! # let _ = backend;
//! # Ok(())
//! # }
//! ```
//!
//! The credentials of the client go to WSO2, so the authenticator must keep them. Wrap your
//! authenticator in [`KeepCredentials`](crate::client::KeepCredentials) if the clients are
//! registered here too. If they are not, use
//! [`UnverifiedClients`](crate::client::UnverifiedClients) as the authenticator.
//!
//! # What cannot be known here
//!
//! * Revocations made only in WSO2.
//! * The grant and the session of a token: its claims do not name them.
