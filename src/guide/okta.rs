//! APIs with access tokens of Okta.
//!
//! The API verifies the JWTs of a *custom authorization server*. Tokens of the org authorization
//! server are for Okta only: others cannot verify them.
//!
//! ```
//! use tower_revocation::introspect::jwt::{Audience, Dialect, JwtTokens};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = "https://example.okta.com/oauth2/default";
//! let tokens = JwtTokens::discover(issuer, Audience::any_of(["api://default"]))?
//!     .dialect(Dialect::okta());
//! # let _ = tokens;
//! # Ok(())
//! # }
//! ```
//!
//! `examples/jwt.rs` is a complete program.
//! [`Dialect::okta`](crate::introspect::jwt::Dialect::okta) lists the claims.
//!
//! # Audience
//!
//! The audience is set at the authorization server, by default `api://default`. It is the same for
//! all of its APIs: use one authorization server for each API, or check the scope in the API, for
//! instance with a [`ScopeLayer`](crate::enforce::ScopeLayer).
//!
//! # Refresh tokens
//!
//! Okta's refresh tokens are opaque. Forward their revocation to Okta:
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
//! let issuer = "https://example.okta.com/oauth2/default";
//! let tokens = JwtTokens::discover(issuer, Audience::any_of(["api://default"]))?
//!     .dialect(Dialect::okta());
//! // No token lives longer than this, refresh tokens included.
//! let longest_lifetime = Duration::from_secs(30 * 24 * 60 * 60);
//! let record = RecordRevocation::new(tokens, EmbeddedLog::open(path)?);
//! let record = record.longest_lifetime(longest_lifetime);
//! let backend = ForwardRevocation::new("https://example.okta.com/oauth2/default/v1/revoke", record)?;
//! # let _ = backend;
//! # Ok(())
//! # }
//! ```
//!
//! The credentials of the client go to Okta, so the authenticator must keep them. Wrap your
//! authenticator in [`KeepCredentials`](crate::client::KeepCredentials) if the clients are
//! registered here too. If they are not, use
//! [`UnverifiedClients`](crate::client::UnverifiedClients) as the authenticator.
//!
//! # What cannot be known here
//!
//! * Revocations made only in Okta.
//! * Which access tokens belong to a refresh token, from the tokens alone: they name neither a
//!   grant nor a session. Put a [`LearnLinksLayer`](crate::revoke::LearnLinksLayer) in front of the
//!   token endpoint to learn it, or use `[links]` of the [sidecar](crate::guide::sidecar).
//!
//! # Notes
//!
//! * `sub` is the login name of the user and changes with it. `Dialect::okta().subject("uid")`
//!   uses the stable identifier. Use the same one in
//!   [`AdminRequest`](crate::revoke::AdminRequest).
