//! What all events share.

use std::{error::Error, fmt};

/// The target of every event.
pub(crate) const TARGET: &str = "tower_revocation";

/// An error and its chain of sources, on one line.
pub(crate) struct Causes<'a>(pub(crate) &'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut causes = self.0.to_string();
        let mut link = self.0.source();
        while let Some(cause) = link {
            causes = format!("{causes}: {cause}");
            link = cause.source();
        }
        // An error may quote the peer, and an event must stay on one line.
        f.write_str(&causes.replace(char::is_control, "?"))
    }
}

/// The first 128 characters of a name. The caller escapes it.
pub(crate) fn truncated(name: &str) -> String {
    const LIMIT: usize = 128;
    name.chars().take(LIMIT).collect()
}
