//! The header and the claims of a token.
//!
//! This reader keeps strings in the document instead of copying them, because a token is read with
//! every request. [`Members`](super::Members) copies each name and each string. Measured with
//! callgrind on documents of typical issuers, including the lookup of ten members:
//!
//! | document | `Claims` | `Members` |
//! |---|---|---|
//! | access token of Keycloak, 20 members | 38 000 instructions, 22 allocations | 48 000, 56 |
//! | access token of RFC 9068, 8 members | 10 000 instructions, 2 allocations | 15 000, 16 |
//!
//! That is why there are two readers. Both follow the same rules: nested values are read by the
//! same visitor, and the tests of both use the same documents.

use std::{fmt, time::Duration};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{
    expiry,
    json::{MAX_DEPTH, Malformed, NUMBER, Strict},
    numeric_date,
};

/// The members of a JSON object, read by the same rules as [`Members`](super::Members).
pub(crate) struct Claims {
    json: String,
    /// Sorted by name.
    members: Vec<(Text, Read)>,
}

/// The value of a member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Claim<'a> {
    Text(&'a str),
    /// Anything but a string.
    Other(&'a Value),
}

/// A string. Without escapes it is a range of the document.
enum Text {
    Part { start: usize, end: usize },
    Unescaped(Box<str>),
}

enum Read {
    Text(Text),
    Other(Value),
}

impl Claims {
    /// Reads the whole document. Nothing may follow the object.
    pub(super) fn parse(json: Vec<u8>) -> Result<Self, Malformed> {
        let json = String::from_utf8(json).map_err(|_| Malformed)?;
        let mut reader = serde_json::Deserializer::from_str(&json);
        let object = Object(Document(&json));
        let members = reader.deserialize_map(object).map_err(|_| Malformed)?;
        reader.end().map_err(|_| Malformed)?;
        Ok(Self { json, members })
    }

    /// The document.
    pub(crate) fn into_json(self) -> String {
        self.json
    }

    pub(crate) fn get(&self, name: &str) -> Option<Claim<'_>> {
        let json = &*self.json;
        let place = self.members.binary_search_by(|it| it.0.of(json).cmp(name));
        Some(match &self.members[place.ok()?].1 {
            Read::Text(text) => Claim::Text(text.of(json)),
            Read::Other(value) => Claim::Other(value),
        })
    }

    /// Returns a member that must be a string if it is present.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Malformed> {
        let value = self.get(name);
        value
            .map(|value| value.as_str().ok_or(Malformed))
            .transpose()
    }
}

impl<'a> Claim<'a> {
    pub(crate) fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }

    /// The value if it is not a string.
    pub(crate) fn as_other(self) -> Option<&'a Value> {
        match self {
            Self::Text(_) => None,
            Self::Other(value) => Some(value),
        }
    }

    /// The value as an [`expiry`].
    pub(crate) fn as_expiry(self) -> Option<Duration> {
        self.as_other().and_then(expiry)
    }

    /// The value as a [`numeric_date`].
    pub(crate) fn as_date(self) -> Option<Duration> {
        self.as_other().and_then(numeric_date)
    }
}

impl<'a> From<&'a Value> for Claim<'a> {
    fn from(value: &'a Value) -> Self {
        value.as_str().map_or(Self::Other(value), Self::Text)
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(..)")
    }
}

impl Text {
    fn of<'a>(&'a self, json: &'a str) -> &'a str {
        match self {
            Self::Part { start, end } => &json[*start..*end],
            Self::Unescaped(text) => text,
        }
    }
}

/// The document that the ranges refer to.
#[derive(Clone, Copy)]
struct Document<'a>(&'a str);

impl Document<'_> {
    /// Returns the range of a string that `serde_json` borrowed from the document. It borrows from
    /// nothing else. If it ever did, the string is copied.
    fn part(self, text: &str) -> Text {
        let start = text.as_ptr().addr().wrapping_sub(self.0.as_ptr().addr());
        match start.checked_add(text.len()) {
            Some(end) if end <= self.0.len() => Text::Part { start, end },
            _ => Text::Unescaped(text.into()),
        }
    }
}

/// Visits the object that makes up the document.
struct Object<'a>(Document<'a>);

impl<'de> Visitor<'de> for Object<'de> {
    type Value = Vec<(Text, Read)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        /// Few tokens have more members.
        const USUAL: usize = 16;
        let Self(document) = self;
        let json = document.0;
        let mut members = Vec::with_capacity(USUAL);
        while let Some(name) = map.next_key_seed(document)? {
            // A wrapped number is not an object.
            if name.of(json) == NUMBER {
                return Err(M::Error::custom("not an object"));
            }
            members.push((name, map.next_value_seed(Member(document))?));
        }
        members.sort_unstable_by(|one, other| one.0.of(json).cmp(other.0.of(json)));
        let mut neighbours = members.windows(2);
        if neighbours.any(|two| two[0].0.of(json) == two[1].0.of(json)) {
            return Err(M::Error::custom("a member occurs twice"));
        }
        Ok(members)
    }
}

/// Reads a name.
impl<'de> DeserializeSeed<'de> for Document<'de> {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Text, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Document<'de> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text, E> {
        Ok(self.part(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text::Unescaped(text.into()))
    }
}

/// Reads a value. Everything but a string is left to [`Strict`].
struct Member<'a>(Document<'a>);

impl Member<'_> {
    const STRICT: Strict = Strict {
        depth: MAX_DEPTH - 1,
    };
}

impl<'de> DeserializeSeed<'de> for Member<'de> {
    type Value = Read;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Read, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'de> {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Read, E> {
        self.0.visit_borrowed_str(text).map(Read::Text)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Read, E> {
        self.0.visit_str(text).map(Read::Text)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Read, E> {
        Self::STRICT.visit_bool(value).map(Read::Other)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Read, E> {
        Self::STRICT.visit_i64(value).map(Read::Other)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Read, E> {
        Self::STRICT.visit_u64(value).map(Read::Other)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Read, E> {
        Self::STRICT.visit_f64(value).map(Read::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Read, E> {
        Self::STRICT.visit_unit().map(Read::Other)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<Read, S::Error> {
        Self::STRICT.visit_seq(seq).map(Read::Other)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Read, M::Error> {
        Self::STRICT.visit_map(map).map(Read::Other)
    }
}

#[cfg(test)]
mod tests;
