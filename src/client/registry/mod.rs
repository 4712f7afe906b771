//! Registered clients, in the terms of RFC 7591.
//!
//! Register a [`Client`] in code, read clients from JSON with [`Registry::from_json`], keep them in
//! a file with [`ReloadingRegistry`], or look them up in your own database by implementing
//! [`Clients`]. [`ClientAuthenticator`] authenticates the clients of any of these. It verifies
//! `client_secret_basic`, `client_secret_post` and `none`, and every other method that you
//! configure.
//!
//! ```
//! use tower_revocation::RevocationLayer;
//! use tower_revocation::client::registry::{ClientAuthenticator, Registry};
//!
//! let clients = Registry::from_json(r#"[
//!     { "client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV" },
//!     { "client_id": "spa-1", "token_endpoint_auth_method": "none" }
//! ]"#)?;
//! # fn backend() {}
//! let authenticator = ClientAuthenticator::new(clients);
//! let layer = RevocationLayer::new("/oauth2/revoke", authenticator, backend());
//! # Ok::<_, tower_revocation::client::registry::RegistryError>(())
//! ```

mod authenticator;
mod builder;
mod by_basic;
#[cfg(feature = "mtls")]
mod by_certificate;
mod by_client_id;
mod by_secret;
mod client;
mod clients;
mod error;
mod hashed;
mod in_memory;
mod lookup;
mod registration;
mod reloading;
mod supported;

pub use authenticator::ClientAuthenticator;
pub use builder::ClientBuilder;
pub use client::{BasicDecoding, Client};
pub use clients::Clients;
pub use error::RegistryError;
pub use in_memory::Registry;
pub use reloading::{PreparedReload, ReloadError, ReloadingRegistry};
