//! The parameters of a call, from a form or from JSON.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::{error::Error, form, token::Secret};

/// More members than any call has.
const MAX_MEMBERS: usize = 64;

/// The parameters of a call, by name. Names are public and values are not: `Debug` prints only names.
///
/// A parameter with an empty value counts as missing, as in a form of RFC 6749 §3.2.
#[derive(Clone, Default)]
pub struct Parameters {
    pairs: Vec<(String, Secret)>,
}

impl Parameters {
    /// Reads a form, as strictly as the endpoint does.
    pub(super) fn from_form(body: &[u8]) -> Result<Self, Error> {
        let pairs = form::pairs(body)?;
        Ok(Self { pairs })
    }

    pub(super) fn from_json(body: &[u8]) -> Result<Self, Error> {
        // The message of the error may repeat what is in the body.
        let read = serde_json::from_slice(body);
        read.map_err(|_| {
            Error::invalid_request(
                "The body is not an object of strings and booleans, each with another name",
            )
        })
    }

    /// Whether there is a parameter of this name with a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let mut named = self.pairs.iter().filter(|(known, _)| known == name);
        named.any(|(_, value)| !value.expose().is_empty())
    }

    /// Returns the value of a parameter.
    ///
    /// # Errors
    ///
    /// Fails with [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the parameter is repeated.
    pub fn value(&self, name: &str) -> Result<Option<&Secret>, Error> {
        let mut values = self.pairs.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value);
        match values.next() {
            None => Ok(value.filter(|value| !value.expose().is_empty())),
            Some(_) => Err(Error::invalid_request("A parameter is repeated")),
        }
    }

    /// Removes a parameter and returns its value.
    ///
    /// # Errors
    ///
    /// As [`value`](Self::value).
    pub fn take(&mut self, name: &str) -> Result<Option<Secret>, Error> {
        let value = self.value(name)?.cloned();
        self.pairs.retain(|(known, _)| known != name);
        Ok(value)
    }

    /// Removes a parameter that is a switch, and returns whether it is on. `None` if it is missing.
    ///
    /// # Errors
    ///
    /// Fails with [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the value is neither `true`
    /// nor `false`, and if the parameter is repeated.
    pub fn take_switch(&mut self, name: &str) -> Result<Option<bool>, Error> {
        let value = self.take(name)?;
        match value.as_ref().map(Secret::expose) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Error::invalid_request("A switch is neither true nor false")),
        }
    }

    /// Adds a parameter.
    ///
    /// # Errors
    ///
    /// Fails with [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if there is one with this name
    /// and another value: it is unclear which one counts.
    pub fn insert(&mut self, name: &str, value: impl Into<Secret>) -> Result<(), Error> {
        let value = value.into();
        match self.value(name)? {
            None => {
                self.pairs.retain(|(known, _)| known != name);
                self.pairs.push((name.to_owned(), value));
                Ok(())
            }
            Some(known) if known.expose() == value.expose() => Ok(()),
            Some(_) => Err(Error::invalid_request("Two parameters differ")),
        }
    }

    /// Renames a parameter, if there is one with this name.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert) and [`value`](Self::value).
    pub fn rename(&mut self, name: &str, to: &str) -> Result<(), Error> {
        match self.take(name)? {
            Some(value) => self.insert(to, value),
            None => Ok(()),
        }
    }

    /// The standard parameters as a form. The others are left out: the endpoint would ignore them.
    pub(super) fn to_form(&self) -> Bytes {
        let known = |(name, _): &&(String, Secret)| form::KNOWN.contains(&name.as_str());
        let pairs = self.pairs.iter().filter(known);
        let pairs: Vec<_> = pairs.map(|(name, value)| (name, value.expose())).collect();
        // Pairs of texts can always be encoded.
        serde_urlencoded::to_string(pairs)
            .unwrap_or_default()
            .into()
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.pairs.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

/// From an object of strings and booleans.
impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Parameters;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings and booleans")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Parameters, M::Error> {
        let mut parameters = Parameters::default();
        while let Some((name, value)) = map.next_entry::<String, Member<'de>>()? {
            // Parsers differ in which of two members counts (RFC 8259 §4).
            let is_known = parameters.pairs.iter().any(|(known, _)| *known == name);
            if is_known || parameters.pairs.len() == MAX_MEMBERS {
                return Err(serde::de::Error::custom("a member is repeated"));
            }
            let value = match value {
                Member::Text(text) => form::secret(text),
                Member::Switch(true) => Secret::from("true"),
                Member::Switch(false) => Secret::from("false"),
            };
            parameters.pairs.push((name, value));
        }
        Ok(parameters)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Member<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Switch(bool),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(body: &str) -> Result<Parameters, Error> {
        Parameters::from_json(body.as_bytes())
    }

    #[test]
    fn json_and_form_have_the_same_parameters() {
        let of_json = json(r#"{"token":"a b&c=\u00e9","other":"x","cascade":true}"#).unwrap();
        let of_form =
            Parameters::from_form("token=a+b%26c%3D%C3%A9&other=x&cascade=true".as_bytes())
                .unwrap();
        for parameters in [of_json, of_form] {
            assert_eq!(parameters.to_form(), "token=a+b%26c%3D%C3%A9");
            let other = parameters.value("other").unwrap().unwrap();
            assert_eq!(other.expose(), "x");
            assert_eq!(
                parameters.clone().take_switch("cascade").unwrap(),
                Some(true)
            );
        }
    }

    #[test]
    fn json_of_another_shape_is_refused() {
        for body in [
            "",
            "null",
            "[]",
            r#"["token","a"]"#,
            r#"{"token":1}"#,
            r#"{"token":null}"#,
            r#"{"token":["a"]}"#,
            r#"{"token":{"a":"b"}}"#,
            r#"{"token":"a","token":"a"}"#,
            r#"{"token":"a","tok\u0065n":"b"}"#,
            r#"{"token":"a"} x"#,
            r#"{"token":"a""#,
            "{\"token\":\"\u{0}\"}",
        ] {
            assert!(json(body).is_err(), "{body}");
        }
        let many: Vec<_> = (0..65).map(|it| format!(r#""{it}":"""#)).collect();
        assert!(json(&format!("{{{}}}", many.join(","))).is_err());
        assert!(json(&format!("{{{}}}", many[..64].join(","))).is_ok());
    }

    #[test]
    fn repeated_parameter_of_a_form_is_refused_when_it_is_read() {
        let mut parameters = Parameters::from_form(b"type=a&type=a&token=t").unwrap();
        assert!(parameters.value("type").is_err());
        assert!(parameters.rename("type", "token_type_hint").is_err());
        assert!(parameters.rename("absent", "token").is_ok());
        assert!(parameters.insert("token", "t").is_ok());
        assert!(parameters.insert("token", "u").is_err());
    }

    #[test]
    fn repeated_standard_parameter_stays_for_the_endpoint_to_refuse() {
        let parameters = Parameters::from_form(b"token=a&token=a").unwrap();
        assert_eq!(parameters.to_form(), "token=a&token=a");
    }

    #[test]
    fn empty_parameter_counts_as_missing() {
        let parameters = Parameters::from_form(b"token=&client_secret=").unwrap();
        assert!(!parameters.has("client_secret") && !parameters.has("token"));
        assert!(json(r#"{"token":"","token":""}"#).is_err());
    }

    #[test]
    fn debug_prints_no_value() {
        let parameters = Parameters::from_form(b"token=secret-1").unwrap();
        assert_eq!(format!("{parameters:?}"), r#"["token"]"#);
    }
}
