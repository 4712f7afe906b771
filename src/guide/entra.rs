//! APIs with access tokens of Microsoft Entra ID.
//!
//! The API verifies the JWTs of one tenant, for an API that you registered. Tokens for Microsoft
//! Graph cannot be verified by others.
//!
//! ```
//! use tower_revocation::introspect::jwt::{Audience, Dialect, JwtTokens};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
//! let tokens = JwtTokens::discover(issuer, Audience::any_of(["66666666-7777-8888-9999-000000000000"]))?
//!     .dialect(Dialect::entra());
//! # let _ = tokens;
//! # Ok(())
//! # }
//! ```
//!
//! `examples/jwt.rs` is a complete program.
//! [`Dialect::entra`](crate::introspect::jwt::Dialect::entra) lists the claims.
//!
//! # Audience
//!
//! The audience is the *application (client) ID* of the API for v2.0 tokens, and its *application
//! ID URI* (`api://…`) for v1.0 tokens. Set `requestedAccessTokenVersion` of the API to 2 for
//! v2.0. The issuer of v1.0 tokens is `https://sts.windows.net/TENANT/`.
//!
//! # Refresh tokens
//!
//! Entra's refresh tokens are opaque, and **Entra has no revocation endpoint**: a refresh token
//! sent to this crate is 400 `unsupported_token_type`. `revokeSignInSessions` of Microsoft Graph
//! ends the refresh tokens of a user. End the access tokens of the user here at the same time,
//! with [`Administration`](crate::revoke::Administration).
//!
//! # What cannot be known here
//!
//! * Sign-outs, password changes and disabled users. Entra's *continuous access evaluation*
//!   reaches only Microsoft's own APIs.
//! * The grant of a token.
//!
//! # Notes
//!
//! * `sub` differs for each API. `Dialect::entra().subject("oid")` uses the object ID of the
//!   user in the directory.
//! * The identifier of a token is `uti`. The session is `sid`, if present.
