//! Paths that every server reads in the same way.

/// Whether every server reads this path as the same resource.
///
/// A server may decode, merge or resolve what others take as it is: behind a proxy, `/health/%2e%2e/admin` may be
/// `/admin`. A route that needs no token must match canonical paths only. A path is not canonical
/// if it
///
/// * does not begin with `/`, or contains `//` or `/.`;
/// * contains `\`, `#`, `;`, or a character that is not visible ASCII;
/// * contains an escape of one of these, of `/` or of `%`, such as `%2F` or `%5C`;
/// * contains an escape of a letter, a digit, `-`, `.`, `_` or `~`, which need none (RFC 3986 §2.3), or
///   one in lower case: `/public/%61dmin` may be `/public/admin`, and `%c3` is `%C3`.
///
/// Some servers remove what follows a `;` in a segment: `/public/admin;x` may be `/public/admin`.
///
/// So `/.well-known/…` is not canonical.
///
/// ```
/// use tower_revocation::proxy::is_canonical;
///
/// assert!(is_canonical("/health"));
/// assert!(is_canonical("/caf%C3%A9/menu.html"));
/// assert!(!is_canonical("/health/../admin"));
/// assert!(!is_canonical("/health/%2e%2e/admin"));
/// ```
#[must_use]
pub fn is_canonical(path: &str) -> bool {
    let bytes = path.as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"\\#?;".contains(byte);
    let neighbours = || bytes.windows(2).any(|pair| matches!(pair, b"//" | b"/."));
    bytes.first() == Some(&b'/')
        && bytes.iter().all(is_plain)
        && !neighbours()
        && path.split('%').skip(1).all(is_harmless)
}

/// Whether the text begins with the two digits of an escape that nobody decodes into syntax.
fn is_harmless(text: &str) -> bool {
    let digits = text.get(..2).filter(|digits| {
        // `from_str_radix` accepts a sign.
        let is_upper = |digit: u8| digit.is_ascii_digit() || matches!(digit, b'A'..=b'F');
        digits.bytes().all(is_upper)
    });
    let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let needs_none = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    decoded.is_some_and(|byte| {
        !needs_none(byte) && !byte.is_ascii_control() && !b"/\\%#?;".contains(&byte)
    })
}

#[cfg(test)]
mod tests {
    use super::is_canonical;

    #[test]
    fn usual_paths_are_canonical() {
        for path in [
            "/",
            "/health",
            "/health/",
            "/a/b.c/d..e",
            "/a%20b",
            "/caf%C3%A9",
            "/a:b@c",
            "/~user",
        ] {
            assert!(is_canonical(path), "{path}");
        }
    }

    #[test]
    fn paths_that_servers_read_differently_are_not_canonical() {
        for path in [
            "",
            "health",
            "*",
            "//health",
            "/health//",
            "/.",
            "/health/.",
            "/health/..",
            "/health/../admin",
            "/health/..;/admin",
            "/health/admin;x",
            "/health;x/admin",
            "/.well-known/x",
            "/health/%2e%2e/admin",
            "/health/%2E./admin",
            "/health%2fadmin",
            "/health%2Fadmin",
            "/health%5c..%5cadmin",
            "/health\\..\\admin",
            "/health%252e",
            "/health%00",
            "/health%0d%0a",
            "/health%7f",
            "/health%23",
            "/health%3f",
            "/health%3b",
            "/health#/../admin",
            "/health?x",
            "/health%",
            "/health%2",
            "/health%zz",
            "/health%+2",
            "/health%c\u{e9}",
            "/caf\u{e9}",
            "/public/%61dmin",
            "/public/%41dmin",
            "/%7Euser",
            "/a%2Db",
            "/a%5Fb",
            "/a%30",
            "/caf%c3%a9",
            "/caf%C3%a9",
            "/a b",
            "/a\tb",
        ] {
            assert!(!is_canonical(path), "{path:?}");
        }
    }
}
