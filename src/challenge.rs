//! `WWW-Authenticate` challenges (RFC 9110 §11.6.1).

use hyper::header::HeaderValue;

/// `Basic realm="..", charset="UTF-8"` (RFC 7617 §2).
///
/// # Panics
///
/// Panics if `realm` contains anything but visible ASCII characters and spaces.
pub(crate) fn basic(realm: &str) -> HeaderValue {
    HeaderValue::try_from(format!(r#"Basic realm={}, charset="UTF-8""#, quoted(realm)))
        .expect("visible ASCII characters form a valid field value")
}

/// A value as a `quoted-string` (RFC 9110 §5.6.4).
///
/// # Panics
///
/// Panics if `value` contains anything but visible ASCII characters and spaces.
pub(crate) fn quoted(value: &str) -> String {
    assert!(
        value.bytes().all(|byte| matches!(byte, 0x20..=0x7e)),
        "a realm consists of visible ASCII characters and spaces"
    );
    format!("\"{}\"", value.replace('\\', r"\\").replace('"', "\\\""))
}
