//! Which browser sends a request?

use std::fmt;

/// The family of a browser, from a short list that is fixed: a `User-Agent` would tell much more about
/// a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Browser {
    /// Another program, or a request without a `User-Agent`.
    Other = 0,
    /// Chrome and Chromium.
    Chrome = 1,
    /// Edge.
    Edge = 2,
    /// Firefox.
    Firefox = 3,
    /// Opera.
    Opera = 4,
    /// Safari.
    Safari = 5,
    /// Samsung Internet.
    Samsung = 6,
}

/// What each family has in its `User-Agent`. Most also claim to be those after them.
const MARKS: [(&str, Browser); 12] = [
    ("Edg/", Browser::Edge),
    ("EdgA/", Browser::Edge),
    ("EdgiOS/", Browser::Edge),
    ("OPR/", Browser::Opera),
    ("OPT/", Browser::Opera),
    ("SamsungBrowser/", Browser::Samsung),
    ("Firefox/", Browser::Firefox),
    ("FxiOS/", Browser::Firefox),
    ("Chrome/", Browser::Chrome),
    ("Chromium/", Browser::Chrome),
    ("CriOS/", Browser::Chrome),
    ("Safari/", Browser::Safari),
];

/// More of a `User-Agent` is not read.
const READ: usize = 512;

impl Browser {
    /// Returns the family that a `User-Agent` names. Only its first 512 bytes are read.
    ///
    /// ```
    /// use tower_revocation::sightings::Browser;
    ///
    /// let user_agent = b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    /// assert_eq!(Browser::of(user_agent), Browser::Firefox);
    /// assert_eq!(Browser::of(b"curl/8.5.0"), Browser::Other);
    /// ```
    #[must_use]
    pub fn of(user_agent: &[u8]) -> Self {
        let read = &user_agent[..user_agent.len().min(READ)];
        let has = |mark: &str| read.windows(mark.len()).any(|it| it == mark.as_bytes());
        // All of them begin like this.
        if !read.starts_with(b"Mozilla/") {
            return Self::Other;
        }
        let found = MARKS.iter().find(|(mark, _)| has(mark));
        found.map_or(Self::Other, |(_, browser)| *browser)
    }

    /// Returns the name in lower case, such as `firefox`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Chrome => "chrome",
            Self::Edge => "edge",
            Self::Firefox => "firefox",
            Self::Opera => "opera",
            Self::Safari => "safari",
            Self::Samsung => "samsung",
        }
    }

    pub(super) fn from_byte(byte: u8) -> Self {
        let all = [
            Self::Chrome,
            Self::Edge,
            Self::Firefox,
            Self::Opera,
            Self::Safari,
            Self::Samsung,
        ];
        let mut all = all.into_iter();
        all.find(|it| *it as u8 == byte).unwrap_or(Self::Other)
    }
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEBKIT: &str = "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko)";

    #[test]
    fn family_is_the_one_that_others_do_not_claim() {
        for (rest, expected) in [
            ("Chrome/140.0.0.0 Safari/537.36", Browser::Chrome),
            (
                "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                Browser::Edge,
            ),
            (
                "Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0",
                Browser::Opera,
            ),
            (
                "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                Browser::Samsung,
            ),
            ("Version/18.6 Safari/605.1.15", Browser::Safari),
            ("CriOS/140.0 Mobile/15E148 Safari/604.1", Browser::Chrome),
            (
                "FxiOS/140.0 Mobile/15E148 Safari/605.1.15",
                Browser::Firefox,
            ),
            ("", Browser::Other),
        ] {
            let user_agent = format!("{WEBKIT} {rest}");
            assert_eq!(Browser::of(user_agent.as_bytes()), expected, "{rest}");
        }
        for other in ["", "curl/8.5.0", "Firefox/140.0", "Mozilla/5.0"] {
            assert_eq!(Browser::of(other.as_bytes()), Browser::Other, "{other}");
        }
    }

    #[test]
    fn end_of_a_long_text_is_not_read() {
        let long = format!("Mozilla/5.0 {} Firefox/140.0", "a".repeat(READ));
        assert_eq!(Browser::of(long.as_bytes()), Browser::Other);
    }

    #[test]
    fn each_family_is_read_from_its_byte() {
        for (_, browser) in MARKS {
            assert_eq!(Browser::from_byte(browser as u8), browser);
        }
        assert_eq!(Browser::from_byte(0), Browser::Other);
        assert_eq!(Browser::from_byte(255), Browser::Other);
    }
}
