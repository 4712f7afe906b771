//! Why can a file not be used, in one line?

use std::{fmt, path::PathBuf};

use crate::log::LogError;

/// Why a file cannot be used.
#[derive(Debug)]
pub(in crate::log::fleet::mirror) struct Unusable {
    pub(super) path: PathBuf,
    pub(super) why: Why,
}

#[derive(Debug)]
pub(super) enum Why {
    OtherLog,
    NoMirror,
    Failed(LogError),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.why {
            Why::OtherLog => write!(
                f,
                "{path} is the mirror of another log: name another file, or remove it"
            ),
            Why::NoMirror => write!(
                f,
                "{path} is a log and not a mirror of one: name another file"
            ),
            Why::Failed(error) => {
                write!(f, "{path}: {error}")?;
                let cause = std::error::Error::source(error);
                cause.map_or(Ok(()), |cause| write!(f, ": {cause}"))
            }
        }
    }
}
