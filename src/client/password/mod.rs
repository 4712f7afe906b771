//! Secrets that people chose.
//!
//! **Prefer secrets that were generated**, with 128 random bits or more: a
//! [`SecretDigest`](crate::client::SecretDigest) of one is safe, and is compared in well under a
//! microsecond. What a person made up can be guessed, so what is kept of it must be slow to test: a
//! [`PasswordHash`], which [`Passwords`] verifies at the cost of milliseconds of a core and
//! megabytes of memory for every secret, wrong ones included. Put a limit on failures in front of
//! it, and tell it the [address](crate::client::PeerAddr) of every request.
//!
//! A hash is made where the secret is registered, with a salt of its own:
//!
//! ```sh
//! printf %s "$SECRET" | argon2 "$(openssl rand -hex 16)" -id -t 2 -k 19456 -p 1 -e
//! ```
//!
//! or, with the crate `argon2`, whose defaults are those same costs:
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

mod function;
mod hash;
mod line;
mod passwords;
mod remembered;
#[cfg(test)]
mod tests;
mod workers;

pub use hash::{InvalidHash, PasswordHash};
pub use passwords::Passwords;
pub(crate) use passwords::Verification;
