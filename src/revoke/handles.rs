//! Identifiers that people may see.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::log::Selector;

/// Makes identifiers of tokens, grants and sessions that people may see, and reads them.
///
/// A handle names what a record is about, such as one session in a list of sessions. It is no
/// credential and contains no token: whoever has it can do nothing without the right to revoke. It is
/// made for one owner, which is a selector too, such as that of a subject
/// [within](Selector::within) its tenant. **A handle of another owner, or one that was changed, is
/// none.** The subject `alice` and the grant `alice` are two owners, and so are the subjects `alice`
/// of two tenants. Nothing is stored: a handle contains the [`Selector`], and an authentication code.
///
/// All processes with the same key read each other's handles.
///
/// ```
/// use tower_revocation::{log::Selector, revoke::Handles};
///
/// let handles = Handles::new([7; 32]);
/// let session = Selector::session("eYeKfbm1");
/// let alice = Selector::subject("alice").within("https://as.example.com");
/// let handle = handles.seal(&session, &alice);
/// assert_eq!(handles.open(&handle, &alice), Some(session));
/// assert_eq!(handles.open(&handle, &Selector::subject("alice")), None);
/// ```
#[derive(Clone)]
pub struct Handles {
    keyed: Hmac<Sha256>,
}

/// The length of the authentication code, in bytes.
const CODE: usize = 16;
const SELECTOR: usize = 33;

impl Handles {
    /// Makes handles with this key. Keep it secret: with it, anyone can make a handle of any owner.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        // The block of the digest is longer than the key.
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(&key);
        Self {
            keyed: Hmac::new(&block.into()),
        }
    }

    /// Makes handles with a key that lives as long as the process.
    ///
    /// # Errors
    ///
    /// Fails if the system has no random numbers.
    pub fn random() -> Result<Self, std::io::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(std::io::Error::other)?;
        Ok(Self::new(key))
    }

    /// Returns the handle of a selector, for this owner: 66 letters, digits, `-` and `_`.
    #[must_use]
    pub fn seal(&self, selector: &Selector, owner: &Selector) -> String {
        let selector = selector.to_bytes();
        let code = self.code(&selector, owner).finalize().into_bytes();
        let mut handle = Vec::with_capacity(SELECTOR + CODE);
        handle.extend_from_slice(&selector);
        handle.extend_from_slice(&code[..CODE]);
        URL_SAFE_NO_PAD.encode(handle)
    }

    /// Returns the selector of a handle. `None` if it is not one of this owner.
    #[must_use]
    pub fn open(&self, handle: &str, owner: &Selector) -> Option<Selector> {
        // A longer text is none, so it is not decoded.
        if handle.len() > 4 * (SELECTOR + CODE) / 3 + 1 {
            return None;
        }
        let handle = URL_SAFE_NO_PAD.decode(handle).ok()?;
        let (selector, code) = handle.split_first_chunk::<SELECTOR>()?;
        if code.len() != CODE {
            return None;
        }
        let is_genuine = self.code(selector, owner).verify_truncated_left(code);
        is_genuine.ok()?;
        Selector::from_bytes(selector)
    }

    fn code(&self, selector: &[u8; SELECTOR], owner: &Selector) -> Hmac<Sha256> {
        self.keyed
            .clone()
            .chain_update(b"tower-revocation handle\0")
            .chain_update(selector)
            .chain_update(owner.to_bytes())
    }
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handles(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_handle_is_none() {
        let handles = Handles::new([7; 32]);
        let selector = Selector::grant("g1");
        let alice = Selector::subject("alice");
        let handle = handles.seal(&selector, &alice);
        assert_eq!(handle.len(), 66);
        for place in 0..handle.len() {
            let mut changed = handle.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(handles.open(&changed, &alice), None, "{place}");
        }
        for other in [
            "",
            "A",
            &handle[..65],
            &format!("{handle}A"),
            &"A".repeat(10_000),
        ] {
            assert_eq!(handles.open(other, &alice), None, "{other}");
        }
    }

    #[test]
    fn handle_of_another_key_or_owner_is_none() {
        let selector = Selector::session("s1");
        let alice = Selector::subject("alice");
        let handle = Handles::new([7; 32]).seal(&selector, &alice);
        assert_eq!(Handles::new([8; 32]).open(&handle, &alice), None);
        for owner in [
            Selector::subject("bob"),
            Selector::grant("alice"),
            Selector::session("alice"),
            alice.within("https://other.example"),
        ] {
            assert_eq!(Handles::new([7; 32]).open(&handle, &owner), None);
        }
    }
}
