//! URLs of other servers.

use hyper::Uri;

use super::problem::Problem;

/// Reads a URL with one of these schemes. Its text never gets into an error, because it may have a
/// password.
pub(super) fn parse(key: &str, text: &str, schemes: &[&str]) -> Result<Uri, Problem> {
    let wrong = |reason: String| Problem::new(key, reason);
    let expected = || {
        let schemes: Vec<_> = schemes.iter().map(|it| format!("{it}://")).collect();
        format!("expected a URL that begins with {}", schemes.join(" or "))
    };
    let uri: Uri = text.parse().map_err(|_| wrong(expected()))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong(expected()));
    };
    if !schemes.contains(&scheme) {
        return Err(wrong(expected()));
    }
    if authority.as_str().contains('@') {
        return Err(wrong(
            "a URL must not have a user or a password here".into(),
        ));
    }
    if authority.host().is_empty() {
        return Err(wrong("the URL has no host".into()));
    }
    // The parser discards a fragment.
    if text.contains('#') {
        return Err(wrong("a URL must not have a fragment here".into()));
    }
    Ok(uri)
}

/// Whether a URL leads to this machine.
pub(super) fn is_this_machine(uri: &Uri) -> bool {
    matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Why a URL without TLS is refused.
pub(super) const PLAIN: &str = "without TLS, others on the network can read and change what passes: use https://, or add \
     `insecure = true` if they cannot";
