//! Environment variables. An error about a value names its variable.

use std::{env, error::Error};

/// The name and the value of an environment variable.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    name: &'static str,
    value: String,
}

impl Setting {
    /// Returns `None` if the variable is not set or empty.
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

    /// Uses the default if the variable is not set or empty.
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

    /// An error about the value: `NAME=value: error: cause`.
    pub(crate) fn wrong(&self, error: impl Into<Box<dyn Error>>) -> Box<dyn Error> {
        let value = without_userinfo(&self.value);
        let line = format!("{}={value}: {}", self.name, causes(&*error.into()));
        line.into()
    }
}

/// A URL may contain a password before its host. Error texts must not contain it.
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
