//! The keys of one client or one issuer (RFC 7517 §5), and which of them may have signed.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::{Algorithm, Jwk, KeyError, KeyErrorKind, Members};

/// A set of more keys is refused.
const MOST_KEYS: usize = 100;

/// A set of more octets is not even read when it comes from elsewhere.
const LONGEST_REMOTE: usize = 1024 * 1024;

/// No signature is tried with more keys than that.
const MOST_CANDIDATES: usize = 4;

/// The public keys of a client or an issuer. A clone is cheap.
///
/// It is read from JSON by [`from_json`](Self::from_json), or as a member of a document through
/// serde, by the same rules.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Arc<[Jwk]>,
}

impl KeySet {
    /// Reads a JWK Set as it is registered, strictly.
    ///
    /// Keys of an unknown type or curve, and keys for encryption, are left out.
    ///
    /// ```
    /// use tower_revocation::jose::KeySet;
    ///
    /// let error = KeySet::from_json(r#"{ "keys": [
    ///     { "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }
    /// ] }"#).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "key 1: a coordinate has not the length of its field",
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// For what is not a JSON object or repeats a member, for any key that is not sound or not
    /// public, for more than 100 keys, and for a set in which no key is left.
    pub fn from_json(json: &str) -> Result<Self, KeyError> {
        Self::from_members(&strict(json.as_bytes())?)
    }

    /// Reads a JWK Set as somebody else serves it: what cannot be used is left out, if it is all.
    pub(crate) fn from_remote(json: &[u8]) -> Result<Self, KeyError> {
        if json.len() > LONGEST_REMOTE {
            return Err(KeyError::malformed("the set is longer than 1 MiB"));
        }
        let members = strict(json)?;
        let keys = keys(&members)?.iter().map(Jwk::from_value);
        let keys = keys.filter_map(Result::ok).collect();
        Ok(Self { keys })
    }

    fn from_members(members: &Members) -> Result<Self, KeyError> {
        let mut sound = Vec::new();
        for (index, key) in keys(members)?.iter().enumerate() {
            match Jwk::from_value(key) {
                Ok(key) => sound.push(key),
                Err(error) if error.kind() == KeyErrorKind::Unsupported => {}
                Err(error) => return Err(error.at(index)),
            }
        }
        if sound.is_empty() {
            return Err(KeyError::malformed("the set has no key for signatures"));
        }
        let keys = sound.into();
        Ok(Self { keys })
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys, in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Jwk> {
        self.keys.iter()
    }

    /// Whether there is a key that this identifier means.
    pub(crate) fn has_kid(&self, kid: &str) -> bool {
        let alone = self.len() == 1;
        self.iter()
            .any(|key| key.kid().map_or(alone, |known| known == kid))
    }

    /// The keys that a signature may be of: those of its `kid`, or all if it has none, as far as
    /// they admit the algorithm. At most four, so that no header buys more work.
    ///
    /// A key without an identifier is meant by any `kid` if it is the only key.
    pub(crate) fn candidates<'a>(
        &'a self,
        kid: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a Jwk> {
        let alone = self.len() == 1;
        let meant = move |key: &&Jwk| match (kid, key.kid()) {
            (Some(kid), Some(known)) => kid == known,
            (Some(_), None) => alone,
            (None, _) => true,
        };
        let able = move |key: &&Jwk| key.admits(algorithm);
        self.iter().filter(meant).filter(able).take(MOST_CANDIDATES)
    }
}

fn strict(json: &[u8]) -> Result<Members, KeyError> {
    let members = Members::parse(json);
    members.map_err(|_| KeyError::malformed("the set is not one strict JSON object"))
}

fn keys(members: &Members) -> Result<&[Value], KeyError> {
    let keys = members.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or(KeyError::malformed("the set has no array of keys"))?;
    if keys.len() > MOST_KEYS {
        return Err(KeyError::malformed("the set has more than 100 keys"));
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
        Self::from_members(&members).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
