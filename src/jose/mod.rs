//! Keys and signatures (RFC 7515, RFC 7517, RFC 7518): strict, and for verification only.
//!
//! A [`KeySet`] holds the public keys of a client or an issuer. [`Keys`] says where they come from:
//! they are given, or [`RemoteKeys`] fetches them. An [`Algorithm`] is one that they sign with.
//!
//! ```
//! use tower_revocation::jose::{Algorithm, KeySet};
//!
//! let keys = KeySet::from_json(r#"{ "keys": [{
//!     "kty": "OKP", "crv": "Ed25519", "kid": "2026-01",
//!     "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
//! }] }"#)?;
//! let key = keys.iter().next().unwrap();
//! assert_eq!(key.kid(), Some("2026-01"));
//! assert!(key.admits(Algorithm::Ed25519) && !key.admits(Algorithm::Es256));
//! # Ok::<_, tower_revocation::jose::KeyError>(())
//! ```

mod algorithm;
mod base64url;
#[cfg(feature = "mtls")]
mod certificates;
mod claims;
pub(crate) mod decoy;
mod ed25519;
mod hmac;
mod json;
mod jwk;
mod jws;
mod key_error;
mod key_set;
mod keys;
mod left_out;
mod public_key;
mod purpose;
mod remote;
mod rsa;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use crate::date::{expiry, numeric_date};
pub use algorithm::{Algorithm, UnknownAlgorithm};
pub(crate) use claims::{Claim, Claims};
pub(crate) use hmac::HmacKey;
pub(crate) use json::{Malformed, Members};
pub use jwk::Jwk;
pub(crate) use jws::{Jws, JwsError};
pub use key_error::{KeyError, KeyErrorKind};
pub use key_set::KeySet;
pub use keys::Keys;
#[cfg(test)]
pub(crate) use remote::FakeSource;
pub(crate) use remote::{CachedKeys, KeyLookup, KeyRefresh, PendingFetch, Validity};
pub use remote::{KeySource, RemoteError, RemoteErrorKind, RemoteKeys, RemoteKeysBuilder};
