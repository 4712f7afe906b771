//! A variable of the environment, named in the error about its value.

use std::{env, error::Error};

/// The name and the value of a variable.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    name: &'static str,
    value: String,
}

impl Setting {
    /// `None` if the variable is not set, or is empty.
    pub(crate) fn read(name: &'static str) -> Result<Option<Self>, Box<dyn Error>> {
        let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        match value.into_string() {
            Ok(value) => Ok(Some(Self { name, value })),
            Err(value) => {
                let value = value.to_string_lossy().into_owned();
                Err(Self { name, value }.wrong("the value is not UTF-8"))
            }
        }
    }

    /// The default stands in for a variable that is not set.
    pub(crate) fn read_or(
        name: &'static str,
        default: impl Into<String>,
    ) -> Result<Self, Box<dyn Error>> {
        let set = Self::read(name)?;
        Ok(set.unwrap_or_else(|| Self {
            name,
            value: default.into(),
        }))
    }

    pub(crate) fn value(&self) -> &str {
        &self.value
    }

    /// What is wrong with the value, on one line: `NAME=value: error: cause`.
    pub(crate) fn wrong(&self, error: impl Into<Box<dyn Error>>) -> Box<dyn Error> {
        let value = without_userinfo(&self.value);
        let line = format!("{}={value}: {}", self.name, causes(&*error.into()));
        line.into()
    }
}

/// A URL may have a password before its host, and an error is no place for it.
fn without_userinfo(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else {
        return value.to_owned();
    };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => value.to_owned(),
    }
}

/// An error and its causes.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line = format!("{line}: {cause}");
        next = cause.source();
    }
    line
}

/// The last words of a program that cannot start. Line breaks in a value stay on the line.
pub(crate) fn last_words(error: &dyn Error) -> String {
    let escape = |character: char| {
        let escaped = character.is_control().then(|| character.escape_default());
        let plain = escaped.is_none().then_some(character);
        escaped.into_iter().flatten().chain(plain)
    };
    causes(error).chars().flat_map(escape).collect()
}
