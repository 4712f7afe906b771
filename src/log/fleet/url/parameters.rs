//! The parameters of a URL.

use super::{Wrong, parts::decode};

/// Those that nobody has taken yet, each once.
#[derive(Clone, Default)]
pub(in crate::log::fleet) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(query: &str) -> Result<Self, Wrong> {
        let mut parameters = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.split_once('=') {
                Some(parts) if parameters.may_show(parts.0) => parts,
                // The end of a password, perhaps.
                _ => return Err(parameters.unknown("")),
            };
            if parameters.has(name) {
                return Err(Wrong::new(format!(
                    "the URL of the log has `{name}` twice: remove one",
                )));
            }
            parameters.0.push((name.to_owned(), decode(value)?));
        }
        Ok(parameters)
    }

    /// Returns the value of a parameter, which is known then.
    pub(in crate::log::fleet) fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }

    /// Puts a value in the place of that in the URL.
    pub(in crate::log::fleet) fn set(&mut self, name: &str, value: String) {
        self.take(name);
        self.0.push((name.to_owned(), value));
    }

    /// Adds a value to those of a list with commas between.
    pub(in crate::log::fleet) fn add(&mut self, name: &str, value: &str) {
        let list = match self.take(name) {
            Some(list) => format!("{list},{value}"),
            None => value.to_owned(),
        };
        self.0.push((name.to_owned(), list));
    }

    /// Fails if there are parameters that nobody has taken.
    pub(in crate::log::fleet) fn end(&self) -> Result<(), Wrong> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(self.unknown(name)),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    fn unknown(&self, name: &str) -> Wrong {
        let shown = if self.may_show(name) {
            format!("the parameter `{name}`, which")
        } else {
            "a parameter that".to_owned()
        };
        Wrong::new(format!(
            "the URL or the builder of the log has {shown} this kind of log does not have: remove it",
        ))
    }

    /// The second half of a password with `&` looks like a name.
    fn may_show(&self, name: &str) -> bool {
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        is_name && !name.is_empty() && (name == "password" || !self.has("password"))
    }
}
