//! The tokens: as many as the known ones that all rounds revoke.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// A token that the servers know, 43 characters long.
pub(crate) fn known(number: usize) -> String {
    token("known", number)
}

/// A token that they do not know.
pub(crate) fn unknown(number: usize) -> String {
    token("unknown", number)
}

fn token(kind: &str, number: usize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{kind} {number}")))
}
