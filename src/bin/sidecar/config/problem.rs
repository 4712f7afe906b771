//! What is wrong with a setting.

use std::fmt;

/// What is wrong, and with which key.
#[derive(Debug)]
pub(crate) struct Problem {
    key: String,
    reason: String,
}

impl Problem {
    pub(crate) fn new(key: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self {
            key: key.into(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn missing(key: impl Into<String>, example: &str) -> Self {
        Self::new(key, format!("missing: set it, for example to {example}"))
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }
}

/// All that is wrong.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Takes a value, or notes what is wrong with it.
    pub(crate) fn or_note<T>(&mut self, value: Result<T, impl Into<Self>>) -> Option<T> {
        value.map_err(|wrong| self.0.extend(wrong.into().0)).ok()
    }

    pub(crate) fn note(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// The value, if nothing is wrong.
    pub(crate) fn none_in<T>(self, value: Option<T>) -> Result<T, Self> {
        value.filter(|_| self.0.is_empty()).ok_or(self)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// Escapes line breaks and other control characters, so that no value adds a line.
pub(crate) fn one_line(text: &str) -> String {
    let escape = |character: char| {
        let escaped = character.is_control().then(|| character.escape_default());
        let plain = escaped.is_none().then_some(character);
        escaped.into_iter().flatten().chain(plain)
    };
    text.chars().flat_map(escape).collect()
}

/// The message of the parser, without the values that it quotes: they may be secrets that stand in
/// the wrong place.
pub(super) fn without_values(message: &str) -> String {
    let message = message.trim_end_matches('\n');
    let expected = message.rfind(", expected ").map_or("", |at| &message[at..]);
    for (start, what) in [
        ("invalid type: string ", "a string"),
        ("invalid value: string ", "a string"),
        ("invalid type: ", "a value of this type"),
        ("invalid value: ", "this value"),
        ("unknown variant ", "this value"),
    ] {
        if message.starts_with(start) {
            return format!("{what} does not fit here{expected}");
        }
    }
    message.to_owned()
}
