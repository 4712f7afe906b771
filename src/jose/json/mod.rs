//! JSON objects that every reader understands in the same way.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// Limits how deeply objects and arrays are nested.
pub(super) const MAX_DEPTH: usize = 16;

/// If an application enables the feature `arbitrary_precision` of `serde_json`, every number in a
/// document is visited as an object with this one member.
pub(super) const NUMBER: &str = "$serde_json::private::Number";

/// The members of a JSON object. **A repeated name is an error, at any depth**: one reader would
/// take the first value and another the last (RFC 7519 §4, RFC 8725 §2.4).
///
/// Numbers out of the range of a double and nesting deeper than 16 levels are errors too.
#[derive(Clone, Default)]
pub(crate) struct Members(Map<String, Value>);

/// The document is not such an object. The error has no details, because the document may be
/// secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Members {
    /// Reads the whole document. Nothing may follow the object.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Malformed> {
        serde_json::from_slice(json).map_err(|_| Malformed)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(crate) fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// Returns a member that must be a string if it is present.
pub(super) fn text<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, Malformed> {
    let value = members.get(name);
    value
        .map(|value| value.as_str().ok_or(Malformed))
        .transpose()
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Members(..)")
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        match (Strict { depth: MAX_DEPTH }).deserialize(json)? {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(D::Error::custom("not an object")),
        }
    }
}

/// Reads any value with at most this many more levels of nesting.
#[derive(Clone, Copy)]
pub(super) struct Strict {
    pub(super) depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1);
        let depth = depth.ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        number.map_or_else(|| Err(E::custom("not a number")), |it| Ok(it.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Value, S::Error> {
        let element = self.deeper()?;
        let mut array = Vec::new();
        while let Some(value) = seq.next_element_seed(element)? {
            array.push(value);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Value, M::Error> {
        let member = self.deeper()?;
        let mut members = Map::new();
        let mut value = None;
        while let Some(name) = map.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(M::Error::custom("a member occurs twice"));
            }
            if name == NUMBER {
                value = Some(number(&map.next_value::<String>()?)?);
                members.insert(name, Value::Null);
                continue;
            }
            members.insert(name, map.next_value_seed(member)?);
        }
        match value {
            Some(number) if members.len() == 1 => Ok(number),
            Some(_) => Err(M::Error::custom("not a number")),
            None => Ok(Value::Object(members)),
        }
    }
}

fn number<E: Error>(text: &str) -> Result<Value, E> {
    let number: Option<Number> = text.parse().ok();
    let number = number.filter(|number| number.as_f64().is_some_and(f64::is_finite));
    number.map_or_else(|| Err(E::custom("not a number")), |it| Ok(it.into()))
}

#[cfg(test)]
mod tests;
