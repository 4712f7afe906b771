//! The identifier of a session, and the token of its forms.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// Random, and known only to one browser. This process keeps its digest alone.
#[derive(Clone, PartialEq, Eq)]
pub(in super::super) struct Id([u8; 32]);

/// Makes the tokens of forms. It lives as long as the process.
pub(in super::super) struct FormKey([u8; 32]);

impl Id {
    /// # Errors
    ///
    /// Fails if the system has no random numbers.
    pub(in super::super) fn random() -> Result<Self, getrandom::Error> {
        let mut id = [0; 32];
        getrandom::fill(&mut id)?;
        Ok(Self(id))
    }

    /// Reads the value of a cookie.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // A longer text is none, so it is not decoded.
        if text.len() != 43 {
            return None;
        }
        let id = URL_SAFE_NO_PAD.decode(text).ok()?;
        id.try_into().ok().map(Self)
    }

    /// The value of a cookie.
    pub(super) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl FormKey {
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self(key))
    }

    /// The token that every form of this session contains. No other page can read it.
    pub(in super::super) fn token(&self, id: &Id) -> String {
        URL_SAFE_NO_PAD.encode(self.code(id).finalize().into_bytes())
    }

    /// Whether a form is one of this session. Compares in constant time.
    pub(in super::super) fn is_token(&self, token: &str, id: &Id) -> bool {
        if token.len() != 43 {
            return false;
        }
        let token = URL_SAFE_NO_PAD.decode(token);
        token.is_ok_and(|token| self.code(id).verify_slice(&token).is_ok())
    }

    fn code(&self, id: &Id) -> Hmac<Sha256> {
        let mut code = Hmac::new_from_slice(&self.0).expect("a key of any length");
        code.update(&id.0);
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_token_is_of_one_session_and_one_process() {
        let [key, other_key] = [FormKey([1; 32]), FormKey([2; 32])];
        let [id, other_id] = [Id([3; 32]), Id([4; 32])];
        let token = key.token(&id);
        assert!(key.is_token(&token, &id));
        assert!(!key.is_token(&token, &other_id));
        assert!(!other_key.is_token(&token, &id));
        for wrong in ["", &token[1..], &format!("{token}A"), &"A".repeat(43)] {
            assert!(!key.is_token(wrong, &id), "{wrong}");
        }
    }

    #[test]
    fn cookie_of_another_form_is_no_session() {
        let id = Id([5; 32]);
        assert!(Id::parse(&id.text()) == Some(id));
        for wrong in ["", "x", &"é".repeat(43), &"=".repeat(43), &"A".repeat(44)] {
            assert!(Id::parse(wrong).is_none(), "{wrong}");
        }
    }
}
