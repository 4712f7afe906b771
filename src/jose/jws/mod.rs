//! Parses a compact JWS (RFC 7515 §7.1) strictly, without verifying it.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Algorithm, Claims, json::Malformed};

/// Limits the length of a key identifier (`kid`), in bytes.
pub(super) const MAX_KID: usize = 256;

/// A parsed JWS whose payload is a JSON object. **Do not trust anything in it before a key has
/// verified [`signature`](Self::signature) over [`signing_input`](Self::signing_input).**
///
/// Keys in the header, or that the header points to (`jwk`, `jku`, `x5u`, `x5c`), are ignored:
/// anyone can put them there (RFC 8725 §3.10).
pub(crate) struct Jws<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) header: Claims,
    pub(crate) claims: Claims,
    pub(crate) signing_input: &'a [u8],
    pub(crate) signature: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwsError {
    /// It is not a compact JWS with a JSON object as its payload.
    Malformed,
    /// It requires something that is not supported here. Others may be able to verify it.
    Unsupported,
    /// The algorithm is unknown.
    Algorithm,
}

impl<'a> Jws<'a> {
    /// Parses it, unless it is longer than `max_len` bytes.
    pub(crate) fn parse(compact: &'a str, max_len: usize) -> Result<Self, JwsError> {
        // First, because everything below takes time in proportion to the length.
        if compact.len() > max_len {
            return Err(JwsError::Malformed);
        }
        let (signing_input, signature) = compact.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, claims) = signing_input.split_once('.').ok_or(JwsError::Malformed)?;
        // A JWE has five segments. The decoder refuses it, because the alphabet has no dot.
        let header = Claims::parse(decode(header)?)?;
        let algorithm = algorithm(&header)?;
        let claims = Claims::parse(decode(claims)?)?;
        let signature = decode(signature)?;
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

    /// The identifier of the key, as the header claims.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.header.text("kid").unwrap_or_default()
    }

    /// The type, as the header claims.
    pub(crate) fn typ(&self) -> Option<&str> {
        self.header.text("typ").unwrap_or_default()
    }
}

/// Returns the algorithm of a header that requires nothing else.
fn algorithm(header: &Claims) -> Result<Algorithm, JwsError> {
    // No extension is supported, so every `crit` must be refused (RFC 7515 §4.1.11). The others
    // change what is signed, or how the payload is encoded.
    for name in ["crit", "b64", "zip", "enc"] {
        if header.get(name).is_some() {
            return Err(JwsError::Unsupported);
        }
    }
    header.text("typ")?;
    let kid = header.text("kid")?;
    if kid.is_some_and(|kid| kid.is_empty() || kid.len() > MAX_KID) {
        return Err(JwsError::Unsupported);
    }
    let algorithm = header.text("alg")?.ok_or(JwsError::Malformed)?;
    algorithm.parse().map_err(|_| JwsError::Algorithm)
}

/// Decodes a segment. Padding, white space and stray trailing bits are errors (RFC 7515 §2), so
/// that a token has exactly one spelling.
fn decode(segment: &str) -> Result<Vec<u8>, JwsError> {
    let bytes = URL_SAFE_NO_PAD.decode(segment);
    bytes.map_err(|_| JwsError::Malformed)
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
