//! Where a token was used, in words.

/// The family of a browser.
pub(super) fn browser(family: &str) -> &'static str {
    match family {
        "chrome" => "Chrome",
        "edge" => "Edge",
        "firefox" => "Firefox",
        "opera" => "Opera",
        "safari" => "Safari",
        "samsung" => "Samsung Internet",
        _ => "another program",
    }
}
