//! APIs with access tokens of Keycloak.
//!
//! The API verifies the JWTs of a realm. Clients revoke them at this crate, and the API refuses
//! them from then on.
//!
//! ```
//! use tower_revocation::introspect::jwt::{Audience, Dialect, JwtTokens};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = "https://sso.example.com/realms/main";
//! let tokens = JwtTokens::discover(issuer, Audience::any_of(["https://api.example.com"]))?
//!     .dialect(Dialect::keycloak());
//! # let _ = tokens;
//! # Ok(())
//! # }
//! ```
//!
//! `examples/jwt.rs` is a complete program.
//! [`Dialect::keycloak`](crate::introspect::jwt::Dialect::keycloak) lists the claims.
//!
//! # Audience
//!
//! **By default Keycloak puts `account` into `aud`, and not your API.** Add a client scope with an
//! *audience mapper* for your API, and assign it to the clients. Without the mapper every token is
//! 401 with the reason `audience`.
//!
//! # Refresh tokens
//!
//! Keycloak's client libraries send the *refresh* token when a user logs out. Keycloak's refresh
//! tokens are JWTs with `typ` `Refresh` or `Offline`, which only Keycloak can read: its keys for
//! them are not published. Alone, this crate responds with 400 `unsupported_token_type`, and not
//! with 200 for a token that stays valid. Forward such revocations to Keycloak:
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
//! let issuer = "https://sso.example.com/realms/main";
//! let tokens = JwtTokens::discover(issuer, Audience::any_of(["https://api.example.com"]))?
//!     .dialect(Dialect::keycloak());
//! // No token lives longer than this, refresh tokens included.
//! let longest_lifetime = Duration::from_secs(30 * 24 * 60 * 60);
//! let record = RecordRevocation::new(tokens, EmbeddedLog::open(path)?);
//! let record = record.longest_lifetime(longest_lifetime);
//! let backend = ForwardRevocation::new("https://sso.example.com/realms/main/protocol/openid-connect/revoke", record)?;
//! # let _ = backend;
//! # Ok(())
//! # }
//! ```
//!
//! The credentials of the client go to Keycloak, so the authenticator must keep them. Wrap your
//! authenticator in [`KeepCredentials`](crate::client::KeepCredentials) if the clients are
//! registered here too. If they are not, use
//! [`UnverifiedClients`](crate::client::UnverifiedClients) as the authenticator.
//!
//! # What cannot be known here
//!
//! * Revocations, logouts and "not before" policies made only in Keycloak. An access token stays
//!   accepted here until it expires, unless it is revoked here too.
//! * Which access tokens belong to a forwarded refresh token. Revoke the session (`sid`) with
//!   [`Administration`](crate::revoke::Administration), or keep access tokens short-lived.
//! * The grant: Keycloak's tokens name a session (`sid`) but no grant.
//!
//! # Notes
//!
//! * *Lightweight* access tokens omit claims. A record about an omitted claim does not match.
//! * Use one realm for each `JwtTokens`: the issuer is `https://HOST/realms/NAME`.
