//! Secrets that people chose.
//!
//! **Prefer generated secrets** with at least 128 random bits: a
//! [`SecretDigest`](crate::client::SecretDigest) of a generated secret is safe, and the comparison
//! takes much less than a microsecond.
//!
//! A secret that a person chose can be guessed, so testing a guess must be slow. Store it as a
//! [`PasswordHash`]. [`Passwords`] verifies it, which takes milliseconds of a core and megabytes of
//! memory for every secret, even for wrong ones. Limit the failures, and provide the
//! [address](crate::client::PeerAddr) of every request.
//!
//! Create the hash where the secret is registered, with a salt of its own:
//!
//! ```sh
//! printf %s "$SECRET" | argon2 "$(openssl rand -hex 16)" -id -t 2 -k 19456 -p 1 -e
//! ```
//!
//! or with the crate `argon2`, whose defaults have the same costs:
//!
//! ```
//! use argon2::{Argon2, PasswordHasher};
//! use tower_revocation::{Secret, client::password::{PasswordHash, Passwords}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut salt = [0; 16];
//! getrandom::fill(&mut salt)?;
//! let text = Argon2::default().hash_password_with_salt(b"correct horse", &salt)?.to_string();
//!
//! let hash = PasswordHash::parse(&text)?;
//! let secret = Secret::new("correct horse");
//! assert!(Passwords::new().verify("s6BhdRkqt3", &secret, [Some(&hash), None]).await?);
//! # Ok(())
//! # }
//! ```

mod error;
mod fair_queue;
mod function;
mod hash;
mod passwords;
mod remembered;
#[cfg(test)]
mod tests;
mod workers;

pub use error::InvalidHash;
pub use hash::PasswordHash;
pub use passwords::Passwords;
pub(crate) use passwords::Verification;
