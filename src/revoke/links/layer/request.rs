//! Which refresh token does a client present?

use hyper::{
    HeaderMap, Method, Request,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
    http::request::Parts,
};
use serde_json::Value;

use crate::{form, jose::Members, token::Secret};

/// A token request (RFC 6749 §3.2).
#[derive(Debug)]
pub(super) enum TokenRequest {
    /// The refresh token of a refresh (RFC 6749 §6), or of an exchange (RFC 8693 §2.1).
    Refresh(Secret),
    /// Any other grant.
    Other,
    Unreadable,
}

/// Whether a request asks for tokens at this path.
pub(super) fn is_watched<B>(request: &Request<B>, path: &str) -> bool {
    request.method() == Method::POST && request.uri().path() == path
}

impl TokenRequest {
    pub(super) fn read(head: &Parts, body: &[u8]) -> Self {
        // A server that also reads parameters in the query could find others there.
        let query = head.uri.query().unwrap_or_default();
        if has_parameters(query.as_bytes()) || head.headers.contains_key(CONTENT_ENCODING) {
            return Self::Unreadable;
        }
        let parameters = match media_type(&head.headers) {
            Some(ContentType::Form) => form::parameters(body, NAMES),
            // Auth0 also accepts an object.
            Some(ContentType::Json) => members(body),
            None => None,
        };
        let Some([grant_type, refresh_token, subject, subject_type, actor_type]) = parameters
        else {
            return Self::Unreadable;
        };
        // There is one refresh token in a request.
        if is(actor_type, REFRESH_TOKEN) {
            return Self::Unreadable;
        }
        // A server that removes blanks would find another token.
        if [&refresh_token, &subject]
            .into_iter()
            .flatten()
            .any(is_padded)
        {
            return Self::Unreadable;
        }
        let refreshes = is(grant_type, "refresh_token");
        match (refresh_token.filter(|_| refreshes), subject) {
            (Some(token), None) => Self::Refresh(token),
            (None, Some(subject)) if is(subject_type, REFRESH_TOKEN) => Self::Refresh(subject),
            (Some(_), Some(_)) => Self::Unreadable,
            (None, _) => Self::Other,
        }
    }
}

const NAMES: [&str; 5] = [
    "grant_type",
    "refresh_token",
    "subject_token",
    "subject_token_type",
    "actor_token_type",
];

/// The type of a token in an exchange (RFC 8693 §3).
const REFRESH_TOKEN: &str = "urn:ietf:params:oauth:token-type:refresh_token";

/// Whether a parameter has this value, for a server that ignores case and blanks too.
fn is(parameter: Option<Secret>, value: &str) -> bool {
    parameter.is_some_and(|it| it.expose().trim().eq_ignore_ascii_case(value))
}

/// Whether a server may read another token in it: one without the blanks at an end, or up to the first
/// control character. No token has other characters than those of RFC 6749 §A.17.
fn is_padded(token: &Secret) -> bool {
    let token = token.expose();
    token.starts_with(' ')
        || token.ends_with(' ')
        || !token.bytes().all(|it| matches!(it, b' '..=b'~'))
}

fn has_parameters(query: &[u8]) -> bool {
    let found = form::parameters(query, NAMES);
    found.is_none_or(|found| found.iter().any(Option::is_some))
}

pub(super) enum ContentType {
    Form,
    Json,
}

/// The media type, without its parameters. `None` if it is another one, or there are several.
pub(super) fn media_type(headers: &HeaderMap) -> Option<ContentType> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else {
        return None;
    };
    let essence = value.split(';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Some(ContentType::Form)
    } else if essence.eq_ignore_ascii_case("application/json") {
        Some(ContentType::Json)
    } else {
        None
    }
}

/// The members of a JSON object with these names, which must be strings.
fn members(json: &[u8]) -> Option<[Option<Secret>; NAMES.len()]> {
    let members = Members::parse(json).ok()?;
    let text = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) => Some(Some(Secret::from(text.as_str()))),
        Some(_) => None,
    };
    let [grant_type, refresh_token, subject, subject_type, actor_type] = NAMES.map(text);
    Some([
        grant_type?,
        refresh_token?,
        subject?,
        subject_type?,
        actor_type?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json; charset=utf-8";

    /// The refresh token that is read, `other` or `unreadable`.
    fn read(uri: &str, content_type: &str, body: &str) -> String {
        let request = Request::post(uri).header(CONTENT_TYPE, content_type);
        let (head, ()) = request.body(()).unwrap().into_parts();
        match TokenRequest::read(&head, body.as_bytes()) {
            TokenRequest::Refresh(token) => token.expose().to_owned(),
            TokenRequest::Other => "other".to_owned(),
            TokenRequest::Unreadable => "unreadable".to_owned(),
        }
    }

    #[test]
    fn refresh_token_of_a_refresh_is_read() {
        let form = "refresh_token=r%2B1&client_id=c&grant_type=refresh%5Ftoken";
        assert_eq!(read("/t", FORM, form), "r+1");
        assert_eq!(
            read(
                "/t?x=1",
                "Application/X-WWW-Form-Urlencoded;charset=UTF-8",
                form
            ),
            "r+1"
        );
        let json = r#"{"grant_type":"refresh_token","refresh_token":"r1","x":{"refresh_token":1}}"#;
        assert_eq!(read("/t", JSON, json), "r1");
        for form in [
            "grant_type=authorization_code&code=x",
            "grant_type=authorization_code&refresh_token=r1",
            "grant_type=refresh_token",
            "grant_type=refresh_token&refresh_token=",
            "",
        ] {
            assert_eq!(read("/t", FORM, form), "other", "{form}");
        }
        assert_eq!(read("/t", JSON, "{}"), "other");
    }

    #[test]
    fn refresh_token_is_read_however_its_grant_is_written() {
        for grant_type in ["Refresh_Token", "refresh_token%20", "%09REFRESH_TOKEN"] {
            let form = format!("grant_type={grant_type}&refresh_token=r1");
            assert_eq!(read("/t", FORM, &form), "r1", "{grant_type}");
        }
    }

    #[test]
    fn refresh_token_of_an_exchange_is_read() {
        let exchange =
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=r1";
        let typed = |name: &str, kind: &str| {
            format!("{exchange}&{name}=urn:ietf:params:oauth:token-type:{kind}")
        };
        let refresh = typed("subject_token_type", "refresh_token");
        assert_eq!(read("/t", FORM, &refresh), "r1");
        let access = typed("subject_token_type", "access_token");
        assert_eq!(read("/t", FORM, &access), "other");
        for several in [
            typed("actor_token_type", "refresh_token"),
            format!("{refresh}&subject_token=r2"),
            "grant_type=refresh_token&refresh_token=r1&subject_token=r2".to_owned(),
        ] {
            assert_eq!(read("/t", FORM, &several), "unreadable", "{several}");
        }
        assert_eq!(read("/t?subject_token=r1", FORM, "a=b"), "unreadable");
    }

    #[test]
    fn what_another_reader_could_read_differently_is_unreadable() {
        let form = "grant_type=refresh_token&refresh_token=r1";
        for body in [
            "grant_type=refresh_token&refresh_token=r1&refresh_token=r2",
            "grant_type=refresh_token&refresh_token=r1&refresh_token=r1",
            "grant_type=x&grant_type=refresh_token&refresh_token=r1",
            "grant_type=refresh_token&refresh_token=%FF",
            "grant_type=refresh_token&refresh_token=%zz",
            "grant_type=refresh_token&refresh%5ftoken=r1&refresh_token=",
            "grant_type=refresh_token&refresh_token=r1+",
            "grant_type=refresh_token&refresh_token=%20r1",
            "grant_type=refresh_token&refresh_token=r1%0a",
            "grant_type=refresh_token&refresh_token=r%001",
            "grant_type=refresh_token&refresh_token=r1%c2%a0",
            "grant_type=x&subject_token=r1%09&subject_token_type=urn:ietf:params:oauth:token-type:refresh_token",
        ] {
            assert_eq!(read("/t", FORM, body), "unreadable", "{body}");
        }
        for query in [
            form,
            "refresh_token=r2",
            "grant_type=x",
            "%67rant_type=x",
            "%zz",
        ] {
            assert_eq!(
                read(&format!("/t?{query}"), FORM, form),
                "unreadable",
                "{query}"
            );
        }
        for content_type in ["", "multipart/form-data", "text/plain", "application/jsonx"] {
            assert_eq!(
                read("/t", content_type, form),
                "unreadable",
                "{content_type}"
            );
        }
        for json in [
            form,
            "[]",
            r#"{"grant_type":"refresh_token","refresh_token":"a","refresh_token":"b"}"#,
            r#"{"grant_type":"refresh_token","refresh_token":["a"]}"#,
            r#"{"grant_type":"refresh_token","refresh_token":"a "}"#,
            r#"{"grant_type":"refresh_token","refresh_token":"a\u0000"}"#,
        ] {
            assert_eq!(read("/t", JSON, json), "unreadable", "{json}");
        }
    }
}
