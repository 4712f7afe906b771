//! What the program prints.

use std::io::{self, Write as _};

/// Prints a text on stdout. A reader that has gone, such as `head`, misses nothing.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a line on stdout.
pub(crate) fn line(text: &str) {
    print(&format!("{text}\n"));
}
