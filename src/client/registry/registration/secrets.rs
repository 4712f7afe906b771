//! The secret members of a registration.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::Reason;
#[cfg(feature = "password-hashes")]
use crate::client::password::PasswordHash;
#[cfg(feature = "jwt")]
use crate::jose::HmacKey;
use crate::{
    client::{SecretDigest, registry::client::ClientSecret},
    token::Secret,
};

pub(super) fn at_most_two(
    mut secrets: impl Iterator<Item = ClientSecret>,
) -> Result<[Option<ClientSecret>; 2], Reason> {
    let two = [secrets.next(), secrets.next()];
    match secrets.next() {
        None => Ok(two),
        Some(_) => Err("a client has at most two secrets".into()),
    }
}

/// The members that describe one secret.
#[derive(Deserialize)]
pub(super) struct SecretMembers {
    #[serde(rename = "client_secret")]
    pub(super) plain: Option<Text>,
    #[serde(rename = "client_secret_sha256")]
    pub(super) sha256: Option<Text>,
    #[serde(rename = "client_secret_hmac_sha256")]
    pub(super) hmac_sha256: Option<Text>,
    /// A password hash.
    #[cfg(feature = "password-hashes")]
    #[serde(rename = "client_secret_hash")]
    pub(super) hash: Option<Text>,
    #[serde(rename = "client_secret_expires_at")]
    pub(super) expires_at: Option<u64>,
}

impl SecretMembers {
    pub(super) fn secret(self) -> Result<Option<ClientSecret>, Reason> {
        let mut written = Vec::new();
        if let Some(secret) = &self.plain {
            written.push(Ok(SecretDigest::sha256(&secret.0)));
        }
        if let Some(text) = &self.sha256 {
            let digest = SecretDigest::from_encoded_sha256(text.0.expose());
            written.push(digest.map_err(|error| error.to_string()));
        }
        if let Some(text) = &self.hmac_sha256 {
            let digest = SecretDigest::from_encoded_hmac_sha256(text.0.expose());
            written.push(digest.map_err(|error| error.to_string()));
        }
        #[cfg(feature = "password-hashes")]
        if let Some(text) = &self.hash {
            let hash = PasswordHash::parse(text.0.expose()).map(SecretDigest::from);
            written.push(hash.map_err(|error| error.to_string()));
        }
        let digest = written.pop();
        if !written.is_empty() {
            return Err("a secret is given in two ways".into());
        }
        let digest = digest.transpose()?;
        let expires_at = match self.expires_at {
            None | Some(0) => None,
            Some(_) if digest.is_none() => {
                // The author meant a secret to expire, and it would not.
                return Err("client_secret_expires_at needs a secret".into());
            }
            Some(seconds) => Some(
                SystemTime::UNIX_EPOCH
                    .checked_add(Duration::from_secs(seconds))
                    .ok_or("client_secret_expires_at is too late")?,
            ),
        };
        Ok(digest.map(|digest| ClientSecret {
            #[cfg(feature = "jwt")]
            hmac_key: self
                .plain
                .as_ref()
                .map(|secret| HmacKey::new(secret.0.expose().as_bytes())),
            ..ClientSecret::new(digest, expires_at)
        }))
    }
}

/// `client_secrets`
pub(super) struct Secrets(pub(super) Vec<ClientSecret>);

impl<'de> Deserialize<'de> for Secrets {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Array;

        impl<'de> Visitor<'de> for Array {
            type Value = Secrets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of secrets")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut array: S) -> Result<Secrets, S::Error> {
                let mut secrets = Vec::new();
                while let Some(secret) = array.next_element()? {
                    secrets.push(secret);
                }
                Ok(Secrets(secrets))
            }

            refuse_without_printing! { scalars }
        }

        json.deserialize_any(Array)
    }
}

impl<'de> Deserialize<'de> for ClientSecret {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = ClientSecret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a secret")
            }

            fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<ClientSecret, M::Error> {
                SecretMembers::deserialize(MapAccessDeserializer::new(members))?
                    .secret()
                    .and_then(|secret| {
                        secret.ok_or("an object in client_secrets has no secret".into())
                    })
                    .map_err(M::Error::custom)
            }

            refuse_without_printing! { scalars }
        }

        json.deserialize_any(Object)
    }
}

/// A secret, or a digest of one.
pub(super) struct Text(Secret);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Characters;

        impl Visitor<'_> for Characters {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
                if text.is_empty() {
                    return Err(E::custom("a secret is empty"));
                }
                Ok(Text(Secret::from(text)))
            }

            refuse_without_printing! { numbers }
        }

        json.deserialize_any(Characters)
    }
}
