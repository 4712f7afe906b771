//! The path of a key, such as `issuer[0].url`.

use std::fmt;

/// A key, as in `issuer[0].url`.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Path(Vec<Step>);

/// One step of a path.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) enum Step {
    Index(usize),
    Name(String),
}

/// A path with more steps leads nowhere.
const MOST_STEPS: usize = 8;

impl Path {
    /// Reads steps with this separator, a number is an index: `issuer.0.url`. `None` if a step is
    /// empty, or if there are too many.
    pub(crate) fn parse(text: &str, separator: &str) -> Option<Self> {
        let text = text.replace('[', separator).replace(']', "");
        let steps: Option<Vec<Step>> = text
            .splitn(MOST_STEPS + 1, separator)
            .map(|step| match step.parse() {
                Ok(index) => Some(Step::Index(index)),
                Err(_) if is_name(step) => Some(Step::Name(step.to_owned())),
                Err(_) => None,
            })
            .collect();
        steps.filter(|steps| steps.len() <= MOST_STEPS).map(Self)
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether this is the other path, or leads to what is inside of it.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

fn is_name(step: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !step.is_empty() && step.bytes().all(is_plain)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Name(name) if place == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}
