//! A secret, or one that may be missing, as a JSON string.

use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

use crate::token::Secret;

pub(super) fn serialize<'a, T, S>(secret: &'a T, to: S) -> Result<S::Ok, S::Error>
where
    &'a T: Into<Option<&'a Secret>>,
    S: Serializer,
{
    let secret: Option<&Secret> = secret.into();
    secret.map(Secret::expose).serialize(to)
}

pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: From<Secret>,
    D: Deserializer<'de>,
{
    String::deserialize(from).map(|text| Secret::from(text).into())
}
