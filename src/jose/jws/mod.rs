//! One compact JWS (RFC 7515 §7.1), read strictly and not yet believed.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Algorithm, Claims, json::Malformed};

/// A key's identifier has at most so many octets.
pub(super) const LONGEST_KID: usize = 256;

/// What is written in a JWS whose payload is a JSON object. **Nothing in it is true before a key
/// has verified [`signature`](Self::signature) over [`signing_input`](Self::signing_input).**
///
/// Keys that the header brings along or points to (`jwk`, `jku`, `x5u`, `x5c`) are nobody's keys:
/// they are not looked at (RFC 8725 §3.10).
pub(crate) struct Jws<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) header: Claims,
    pub(crate) claims: Claims,
    pub(crate) signing_input: &'a [u8],
    pub(crate) signature: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwsError {
    /// It is no compact JWS with a JSON object in it.
    Malformed,
    /// It asks for what is not supported here. Somebody else may verify it.
    Unsupported,
    /// The algorithm is none that is known.
    Algorithm,
}

impl<'a> Jws<'a> {
    /// Reads it, unless it has more octets than `longest`.
    pub(crate) fn parse(compact: &'a str, longest: usize) -> Result<Self, JwsError> {
        // Before anything that takes time in proportion to the length.
        if compact.len() > longest {
            return Err(JwsError::Malformed);
        }
        let (signing_input, signature) = compact.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, claims) = signing_input.split_once('.').ok_or(JwsError::Malformed)?;
        // Five segments are a JWE. The alphabet has no dot, so that the decoder refuses it.
        let header = Claims::parse(octets(header)?)?;
        let algorithm = understood(&header)?;
        let claims = Claims::parse(octets(claims)?)?;
        let signature = octets(signature)?;
        if signature.is_empty() {
            return Err(JwsError::Malformed);
        }
        Ok(Self {
            algorithm,
            header,
            claims,
            signing_input: signing_input.as_bytes(),
            signature,
        })
    }

    /// Which key it says that it was signed with.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.header.text("kid").unwrap_or_default()
    }

    /// What it says that it is.
    pub(crate) fn typ(&self) -> Option<&str> {
        self.header.text("typ").unwrap_or_default()
    }
}

/// The algorithm of a header that asks for nothing else.
fn understood(header: &Claims) -> Result<Algorithm, JwsError> {
    // No extension is understood, so that every `crit` is one to refuse (RFC 7515 §4.1.11). The
    // others would change what is signed, or what is in it.
    for name in ["crit", "b64", "zip", "enc"] {
        if header.get(name).is_some() {
            return Err(JwsError::Unsupported);
        }
    }
    header.text("typ")?;
    let kid = header.text("kid")?;
    if kid.is_some_and(|kid| kid.is_empty() || kid.len() > LONGEST_KID) {
        return Err(JwsError::Unsupported);
    }
    let algorithm = header.text("alg")?.ok_or(JwsError::Malformed)?;
    algorithm.parse().map_err(|_| JwsError::Algorithm)
}

/// Without padding, white space or bits that mean nothing (RFC 7515 §2): one spelling for one
/// token.
fn octets(segment: &str) -> Result<Vec<u8>, JwsError> {
    let octets = URL_SAFE_NO_PAD.decode(segment);
    octets.map_err(|_| JwsError::Malformed)
}

impl From<Malformed> for JwsError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl fmt::Debug for Jws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jws(..)")
    }
}

#[cfg(test)]
mod tests;
