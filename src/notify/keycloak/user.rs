//! How is a subject written into a path?

use std::fmt::Write as _;

/// The longest id of a user. Those in the database of Keycloak have at most 255 characters.
const MAX_LEN: usize = 1024;

/// The segment of a path for this subject. `None` if a server on the way could read it as another
/// path: then the call would be about something else.
pub(super) fn segment(subject: &str) -> Option<String> {
    let is_dots = subject.bytes().all(|byte| byte == b'.');
    let is_ambiguous = |c: char| matches!(c, '/' | '\\' | '%' | ';' | '?' | '#') || c.is_control();
    if is_dots || subject.len() > MAX_LEN || subject.contains(is_ambiguous) {
        return None;
    }
    let mut segment = String::with_capacity(subject.len());
    for byte in subject.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                segment.push(char::from(byte));
            }
            _ => write!(segment, "%{byte:02X}").ok()?,
        }
    }
    Some(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_stays_one_segment() {
        for (subject, expected) in [
            ("a7e5", "a7e5"),
            ("f:8d2b:alice", "f%3A8d2b%3Aalice"),
            ("alice@shop.test", "alice%40shop.test"),
            ("a b", "a%20b"),
            ("\u{e9}", "%C3%A9"),
        ] {
            assert_eq!(segment(subject).as_deref(), Some(expected));
        }
    }

    #[test]
    fn subject_that_could_be_another_path_is_refused() {
        let long = "a".repeat(MAX_LEN + 1);
        for subject in [
            "", ".", "..", "a/b", "a\\b", "..%2f", "a;b", "a?b", "a#b", "a\nb", "\0", &long,
        ] {
            assert_eq!(segment(subject), None, "{subject:?}");
        }
    }
}
