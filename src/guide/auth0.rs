//! APIs with access tokens of Auth0.
//!
//! The API verifies the JWTs of a tenant. **The issuer ends with a slash.**
//!
//! ```
//! use tower_revocation::introspect::jwt::{Audience, Dialect, JwtTokens};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = "https://tenant.auth0.com/";
//! let tokens = JwtTokens::discover(issuer, Audience::any_of(["https://api.example.com"]))?
//!     .dialect(Dialect::auth0());
//! # let _ = tokens;
//! # Ok(())
//! # }
//! ```
//!
//! `examples/jwt.rs` is a complete program.
//! [`Dialect::auth0`](crate::introspect::jwt::Dialect::auth0) lists the claims.
//!
//! # Audience
//!
//! The audience is the *identifier* of the API in Auth0. Never use a client identifier: the
//! audience of an ID token is a client, and an ID token must not open the API. Without an
//! `audience` parameter in the authorization request, Auth0 issues an opaque token, which is 401
//! here.
//!
//! # Refresh tokens
//!
//! Auth0's refresh tokens are opaque. Auth0 revokes them at `/oauth/revoke`, and access tokens
//! remain valid until they expire. Forward revocations of refresh tokens to Auth0:
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
//! let issuer = "https://tenant.auth0.com/";
//! let tokens = JwtTokens::discover(issuer, Audience::any_of(["https://api.example.com"]))?
//!     .dialect(Dialect::auth0());
//! // No token lives longer than this, refresh tokens included.
//! let longest_lifetime = Duration::from_secs(30 * 24 * 60 * 60);
//! let record = RecordRevocation::new(tokens, EmbeddedLog::open(path)?);
//! let record = record.longest_lifetime(longest_lifetime);
//! let backend = ForwardRevocation::new("https://tenant.auth0.com/oauth/revoke", record)?;
//! # let _ = backend;
//! # Ok(())
//! # }
//! ```
//!
//! The credentials of the client go to Auth0, so the authenticator must keep them. Wrap your
//! authenticator in [`KeepCredentials`](crate::client::KeepCredentials) if the clients are
//! registered here too. If they are not, use
//! [`UnverifiedClients`](crate::client::UnverifiedClients) as the authenticator.
//!
//! # What cannot be known here
//!
//! * Which access tokens belong to a refresh token, from the tokens alone: Auth0's access tokens
//!   name neither a grant nor a session. Put a
//!   [`LearnLinksLayer`](crate::revoke::LearnLinksLayer) in front of the token endpoint to learn it,
//!   or use `[links]` of the [sidecar](crate::guide::sidecar). To end access tokens without it,
//!   revoke the subject, or the subject at one client, with
//!   [`Administration`](crate::revoke::Administration).
//! * **A single token of the default profile**: it has no `jti`. Choose the *RFC 9068* token
//!   profile for the API, so that each token can be revoked alone.
