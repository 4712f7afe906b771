//! `identity_headers`: the fields in which the API is told whose token it is.

use hyper::header::HeaderName;
use serde::Deserialize;
use tower_revocation::proxy::IdentityHeaders;

use super::problem::{Problem, Problems};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    subject: Option<String>,
    client: Option<String>,
    scope: Option<String>,
    issuer: Option<String>,
    session: Option<String>,
}

/// The names of the fields. `None`: the API is not told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Identity {
    pub(crate) subject: Option<HeaderName>,
    pub(crate) client: Option<HeaderName>,
    pub(crate) scope: Option<HeaderName>,
    pub(crate) issuer: Option<HeaderName>,
    pub(crate) session: Option<HeaderName>,
}

impl Identity {
    /// The names that are right.
    pub(super) fn new(key: &str, section: Option<Section>, found: &mut Problems) -> Self {
        let section = section.unwrap_or_default();
        let mut seen = Vec::new();
        let mut name = |part: &str, text: Option<String>| {
            let text = text?;
            let key = format!("{key}.{part}");
            let plain = spelling(&text);
            let Some(name) = HeaderName::try_from(&text)
                .ok()
                .filter(|name| !is_reserved(&plain) && IdentityHeaders::is_possible(name))
            else {
                let reason =
                    "expected the name of a field of your own, such as \"x-token-subject\"";
                found.note(Problem::new(key, reason));
                return None;
            };
            if seen.contains(&plain) {
                let reason = "two fields have this name: `-`, `_` and `.` count as one character";
                found.note(Problem::new(key, reason));
                return None;
            }
            seen.push(plain);
            Some(name)
        };
        Self {
            subject: name("subject", section.subject),
            client: name("client", section.client),
            scope: name("scope", section.scope),
            issuer: name("issuer", section.issuer),
            session: name("session", section.session),
        }
    }
}

/// Programs behind a proxy read `-`, `_` and `.` as one character.
fn spelling(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

/// Fields with a meaning of their own. To overwrite one changes the request.
fn is_reserved(name: &str) -> bool {
    const RESERVED: [&str; 16] = [
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    ];
    RESERVED.contains(&name) || name == "forwarded" || name.starts_with("x-forwarded-")
}
