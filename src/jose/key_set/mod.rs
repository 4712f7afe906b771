//! The keys of a client or an issuer (RFC 7517 §5), and which of them may have made a signature.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::{Algorithm, Jwk, KeyError, KeyErrorKind, Members, left_out::LeftOut};

/// The default limit of the number of keys in a set.
pub(super) const MAX_KEYS: usize = 100;

/// The default limit of the number of keys that a signature is checked with.
pub(super) const MAX_CANDIDATES: usize = 16;

/// The public keys of a client or an issuer. A clone is cheap.
///
/// Read it with [`from_json`](Self::from_json), or through serde as a member of a document. The
/// rules are the same.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Arc<[Jwk]>,
    left_out: Arc<[LeftOut]>,
    max_candidates: usize,
}

impl KeySet {
    /// Reads a JWK Set that you or a client registers. It may have at most 100 keys.
    ///
    /// Keys that are not for signatures, and keys of an unknown type, curve or algorithm, are [left
    /// out](Self::left_out). Any other key that cannot be used is an error.
    ///
    /// ```
    /// use tower_revocation::jose::KeySet;
    ///
    /// let error = KeySet::from_json(r#"{ "keys": [
    ///     { "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }
    /// ] }"#).unwrap_err();
    /// assert_eq!(error.to_string(), "key 1: it is not a sound public key");
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the document is not a JSON object or repeats a member, if a key is private or not
    /// sound, and if there are too many keys, or none is left.
    pub fn from_json(json: &str) -> Result<Self, KeyError> {
        Self::from_json_limited(json, MAX_KEYS)
    }

    /// Reads a JWK Set of at most `max_keys` keys, as [`from_json`](Self::from_json) does.
    ///
    /// # Errors
    ///
    /// Fails as [`from_json`](Self::from_json) does.
    pub fn from_json_limited(json: &str, max_keys: usize) -> Result<Self, KeyError> {
        Self::registered(&strict(json.as_bytes())?, max_keys)
    }

    /// Reads a JWK Set that someone else publishes. Every key that cannot be used is left out.
    ///
    /// # Errors
    ///
    /// Fails if the document is not a set, or if the set has too many keys or no usable one. A set
    /// without a usable key must not replace one that has some.
    pub(crate) fn published(
        json: &[u8],
        max_keys: usize,
        max_candidates: usize,
    ) -> Result<Self, KeyError> {
        // RFC 8259 §8.1 lets a reader ignore a byte order mark.
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        let set = Self::read(&strict(json)?, max_keys)?.max_candidates(max_candidates);
        set.with_keys()
    }

    fn registered(members: &Members, max_keys: usize) -> Result<Self, KeyError> {
        let set = Self::read(members, max_keys)?;
        let mut errors = set.left_out();
        let unsound = errors.find(|error| error.kind() != KeyErrorKind::Unsupported);
        drop(errors);
        unsound.map_or_else(|| set.with_keys(), Err)
    }

    /// Returns the set, if it has a usable key.
    fn with_keys(self) -> Result<Self, KeyError> {
        if !self.is_empty() {
            return Ok(self);
        }
        let could_sign = self.left_out.iter().find(|key| key.signs());
        let reason = could_sign.or(self.left_out.first());
        let error = reason.map_or(KeyError::malformed("it is empty"), |key| key.error);
        Err(error.no_usable_key())
    }

    fn read(members: &Members, max_keys: usize) -> Result<Self, KeyError> {
        let (mut keys, mut left_out) = (Vec::new(), Vec::new());
        for (index, key) in array(members, max_keys)?.iter().enumerate() {
            match Jwk::from_value(key) {
                Ok(key) => keys.push(key),
                Err(error) => left_out.push(LeftOut::new(error.at(index), key)),
            }
        }
        Ok(Self {
            keys: keys.into(),
            left_out: left_out.into(),
            max_candidates: MAX_CANDIDATES,
        })
    }

    /// Limits how many keys a signature is checked with. Defaults to 16.
    ///
    /// A token without a `kid` is checked with every key that admits its algorithm. **If more keys
    /// than this may have signed it and none of the first did, its issuer is unknown**, which is
    /// 503.
    ///
    /// # Panics
    ///
    /// Panics if `keys` is zero: no signature would ever be verified.
    #[must_use]
    pub fn max_candidates(self, keys: usize) -> Self {
        assert!(keys > 0, "without a candidate no signature is verified");
        Self {
            max_candidates: keys,
            ..self
        }
    }

    /// Why keys of the document were left out. Each error contains the number of its key.
    ///
    /// ```
    /// use tower_revocation::jose::KeySet;
    ///
    /// let keys = KeySet::from_json(r#"{ "keys": [
    ///     { "kty": "RSA", "alg": "RSA-OAEP", "n": "AA", "e": "AQAB" },
    ///     { "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }
    /// ] }"#)?;
    /// let left_out: Vec<_> = keys.left_out().map(|error| error.to_string()).collect();
    /// assert_eq!(left_out, ["key 1: alg is not a signature algorithm"]);
    /// # Ok::<_, tower_revocation::jose::KeyError>(())
    /// ```
    pub fn left_out(&self) -> impl Iterator<Item = KeyError> {
        self.left_out.iter().map(|left_out| left_out.error)
    }

    /// As [`left_out`](Self::left_out), but only for keys that may have signed tokens.
    #[cfg(feature = "tracing")]
    pub(super) fn left_out_signing_keys(&self) -> impl Iterator<Item = KeyError> {
        let missed = self.left_out.iter().filter(|left_out| left_out.signs());
        missed.map(|left_out| left_out.error)
    }

    /// The number of usable keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no usable key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The usable keys, in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Jwk> {
        self.keys.iter()
    }

    /// Whether both sets verify the same signatures: they have the same usable keys in the same
    /// order, of which the same number are candidates.
    pub(super) fn verifies_the_same(&self, other: &Self) -> bool {
        self.max_candidates == other.max_candidates
            && self.len() == other.len()
            && self
                .iter()
                .zip(other)
                .all(|(key, other)| key.is_same(other))
    }

    /// Whether there is a key with this identifier, or one without any.
    pub(crate) fn has_kid(&self, kid: &str) -> bool {
        self.iter()
            .any(|key| key.kid().is_none_or(|known| known == kid))
    }

    /// Returns the keys that may have made a signature and admit its algorithm: keys with its `kid`
    /// first, then keys without an identifier, or all keys if the signature has no `kid`. At most
    /// [`max_candidates`](Self::max_candidates), so that no header can cause more work.
    pub(crate) fn candidates<'a>(
        &'a self,
        kid: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a Jwk> {
        self.matching(kid, algorithm).take(self.max_candidates)
    }

    /// Whether the [candidates](Self::candidates) are all keys of this set that may have made the
    /// signature.
    pub(crate) fn knows_all(&self, kid: Option<&str>, algorithm: Algorithm) -> bool {
        let mut left_out = self.left_out.iter();
        self.matching(kid, algorithm)
            .nth(self.max_candidates)
            .is_none()
            && !left_out.any(|key| key.could_have_signed(kid, algorithm))
    }

    fn matching<'a>(
        &'a self,
        kid: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a Jwk> {
        let named = self.iter().filter(move |key| key.kid() == kid);
        let others = self.iter().filter(move |key| match kid {
            Some(_) => key.kid().is_none(),
            None => key.kid().is_some(),
        });
        let able = move |key: &&Jwk| key.admits(algorithm);
        named.chain(others).filter(able)
    }
}

fn strict(json: &[u8]) -> Result<Members, KeyError> {
    let members = Members::parse(json);
    members.map_err(|_| KeyError::malformed("the set is not a strict JSON object"))
}

fn array(members: &Members, max_keys: usize) -> Result<&[Value], KeyError> {
    let keys = members.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or(KeyError::malformed("the set has no array of keys"))?;
    if keys.len() > max_keys {
        return Err(KeyError::malformed("the set has too many keys"));
    }
    Ok(keys)
}

impl<'a> IntoIterator for &'a KeySet {
    type Item = &'a Jwk;
    type IntoIter = std::slice::Iter<'a, Jwk>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'de> Deserialize<'de> for KeySet {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        let members = Members::deserialize(json)?;
        Self::registered(&members, MAX_KEYS).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
