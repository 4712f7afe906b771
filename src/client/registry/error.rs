//! Why a document of clients was refused.

use std::fmt;

/// Why a document of clients was refused, and where the problem is.
#[derive(Clone, Debug)]
pub struct RegistryError {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) reason: String,
}

impl RegistryError {
    /// Returns the line in the document, counted from one.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns the column in that line, in bytes, counted from one.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            column,
            reason,
        } = self;
        write!(f, "line {line}, column {column}: {reason}")
    }
}

impl std::error::Error for RegistryError {}
