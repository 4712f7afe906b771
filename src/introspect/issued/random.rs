//! Random names and tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// 256 random bits as base64url: no client has to escape a character of it.
///
/// # Panics
///
/// Panics if the operating system has no random numbers.
pub(super) fn random() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system has random numbers");
    URL_SAFE_NO_PAD.encode(bytes)
}
