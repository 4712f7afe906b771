//! APIs with access tokens of Amazon Cognito.
//!
//! The API verifies the JWTs of a user pool.
//!
//! ```
//! use tower_revocation::introspect::jwt::{Audience, Dialect, JwtTokens};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE";
//! let tokens = JwtTokens::discover(issuer, Audience::unchecked())?
//!     .dialect(Dialect::cognito());
//! # let _ = tokens;
//! # Ok(())
//! # }
//! ```
//!
//! `examples/jwt.rs` is a complete program.
//! [`Dialect::cognito`](crate::introspect::jwt::Dialect::cognito) lists the claims.
//!
//! # Audience
//!
//! Cognito's access tokens have no `aud`, unless the client requests a resource.
//! `Audience::unchecked()` accepts tokens of every client of the pool. **Check the client or the
//! scope in the API**, for instance with a [`ScopeLayer`](crate::enforce::ScopeLayer) for a scope
//! of your resource server.
//!
//! # Refresh tokens
//!
//! Cognito's refresh tokens are encrypted. Only Cognito can revoke them, at `/oauth2/revoke` of
//! the pool's domain. All tokens of one refresh token share `origin_jti`, which this crate reads
//! as the grant: revoking the grant with [`Administration`](crate::revoke::Administration) ends
//! every access token of that sign-in here. Forward revocations of refresh tokens to Cognito:
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
//! let issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE";
//! let tokens = JwtTokens::discover(issuer, Audience::unchecked())?
//!     .dialect(Dialect::cognito());
//! // No token lives longer than this, refresh tokens included.
//! let longest_lifetime = Duration::from_secs(30 * 24 * 60 * 60);
//! let record = RecordRevocation::new(tokens, EmbeddedLog::open(path)?);
//! let record = record.longest_lifetime(longest_lifetime);
//! let backend = ForwardRevocation::new("https://example.auth.eu-west-1.amazoncognito.com/oauth2/revoke", record)?;
//! # let _ = backend;
//! # Ok(())
//! # }
//! ```
//!
//! The credentials of the client go to Cognito, so the authenticator must keep them. Wrap your
//! authenticator in [`KeepCredentials`](crate::client::KeepCredentials) if the clients are
//! registered here too. If they are not, use
//! [`UnverifiedClients`](crate::client::UnverifiedClients) as the authenticator.
//!
//! # What cannot be known here
//!
//! * The grant of a forwarded refresh token, from the token alone: Cognito has no introspection.
//!   Access tokens of it stay accepted here until they expire, unless their `origin_jti` is revoked
//!   here. Put a [`LearnLinksLayer`](crate::revoke::LearnLinksLayer) in front of the token endpoint
//!   to learn the grant, or use `[links]` of the [sidecar](crate::guide::sidecar).
//! * A global sign-out in Cognito.
