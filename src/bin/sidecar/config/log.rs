//! `[log]`: where revocations are.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{
    duration::Length,
    problem::{Problem, Problems},
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    path: Option<PathBuf>,
    url: Option<String>,
    url_file: Option<PathBuf>,
    password_file: Option<PathBuf>,
    longest_lifetime: Option<Length>,
    tenants: Option<bool>,
    create: Option<bool>,
}

/// Where revocations are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Log {
    pub(crate) location: Location,
    /// The password of the server, or the token of a feed.
    pub(crate) password_file: Option<PathBuf>,
    /// The longest lifetime of any token. `None`: records about more than one token are kept for
    /// ever.
    pub(crate) longest_lifetime: Option<Duration>,
    /// Whether records about subjects, clients, sessions and grants name their issuer.
    pub(crate) tenants: bool,
    /// Whether a file that is missing is made.
    pub(crate) create: bool,
}

/// The place of the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Location {
    /// In a file of this process.
    Path(PathBuf),
    /// On a server. The URL has no password.
    Url(String),
    /// On a server whose URL is in this file.
    UrlFile(PathBuf),
}

impl Location {
    /// What an operator may see of it: a path, or a server without the user and the options.
    pub(crate) fn shown(&self) -> String {
        let url = match self {
            Self::Path(path) => return path.display().to_string(),
            Self::UrlFile(file) => return format!("the URL in {}", file.display()),
            Self::Url(url) => url,
        };
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let hosts = authority.rsplit('@').next().unwrap_or_default();
        format!("{scheme}://{hosts}")
    }
}

impl Log {
    /// `None` if something is wrong.
    pub(super) fn new(section: Option<Section>, found: &mut Problems) -> Option<Self> {
        let section = section.unwrap_or_default();
        let location = match (section.path, section.url, section.url_file) {
            (Some(path), None, None) => Ok(Location::Path(path)),
            (None, Some(url), None) => without_password(url).map(Location::Url),
            (None, None, Some(file)) => Ok(Location::UrlFile(file)),
            (None, None, None) => Err(Problem::new(
                "log.path",
                "missing: set it to a file, such as \"/var/lib/sidecar/log.redb\", or set log.url to \
                 a server",
            )),
            _ => Err(Problem::new(
                "log",
                "`path`, `url` and `url_file` exclude each other: the log is in one place",
            )),
        };
        let location = found.or_note(location);
        let longest_lifetime = section.longest_lifetime.map(|length| length.0);
        if longest_lifetime.is_some_and(|it| it < Duration::from_secs(1)) {
            let reason = "choose at least \"1s\": a record must live as long as the token";
            found.note(Problem::new("log.longest_lifetime", reason));
        }
        if section.password_file.is_some() && matches!(location, Some(Location::Path(_))) {
            let reason = "a file has no password: remove the key";
            found.note(Problem::new("log.password_file", reason));
        }
        if section.create.is_some() && !matches!(location, Some(Location::Path(_))) {
            let reason = "it is for a file: remove the key";
            found.note(Problem::new("log.create", reason));
        }
        Some(Self {
            location: location?,
            password_file: section.password_file,
            longest_lifetime,
            tenants: section.tenants.unwrap_or(true),
            create: section.create.unwrap_or(true),
        })
    }

    /// Whether the log can only be read: another process serves it.
    pub(crate) fn is_a_feed(&self) -> bool {
        match &self.location {
            Location::Url(url) => url.starts_with("https://") || url.starts_with("http://"),
            Location::Path(_) | Location::UrlFile(_) => false,
        }
    }
}

fn without_password(url: String) -> Result<String, Problem> {
    let problem = |reason: &str| Err(Problem::new("log.url", reason));
    let Some((scheme, rest)) = url.split_once("://") else {
        return problem(EXPECTED);
    };
    if scheme.is_empty() {
        return problem(EXPECTED);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let user = authority.rfind('@').map(|at| &authority[..at]);
    let has_password = user.is_some_and(|user| user.contains(':'))
        || rest.split(['?', '&']).any(|it| it.starts_with("password="));
    if has_password {
        return problem(
            "the URL has a password: write the password into a file that only this user can read, \
             and set log.password_file to its path",
        );
    }
    Ok(url)
}

const EXPECTED: &str =
    "expected a URL that begins with postgres://, redis://, rediss:// or https://";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_is_shown_without_user_password_and_options() {
        for (url, shown) in [
            ("postgres://me:a@b@db:5432/app?x=y", "postgres://db:5432"),
            ("postgres://me@one,two/app", "postgres://one,two"),
            ("rediss://:secret@cache:6379/0", "rediss://cache:6379"),
            ("https://relay/feed", "https://relay"),
        ] {
            assert_eq!(Location::Url(url.to_owned()).shown(), shown);
        }
        let path = Location::Path("/var/lib/sidecar/log.redb".into());
        assert_eq!(path.shown(), "/var/lib/sidecar/log.redb");
        let file = Location::UrlFile("/run/secrets/url".into());
        assert_eq!(file.shown(), "the URL in /run/secrets/url");
    }
}
