//! JSONP (RFC 7009 §2.3): a request in the query of a script, and a script as the response.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response,
    header::{self, HeaderName, HeaderValue},
};

use super::response::{plain, set_security_headers};
use crate::error::Error;

/// More parameters than any script needs.
const MAX_PARAMETERS: usize = 16;
/// The longest name of a function.
const MAX_CALLBACK: usize = 64;

/// The name of the function that the script calls: letters, digits, `_`, `$` and dots.
#[derive(Clone, Debug)]
pub(crate) struct Callback(String);

/// A request in a query.
#[derive(Debug)]
pub(crate) struct Query {
    /// The parameters for a public client, as a form.
    pub(crate) form: Bytes,
    pub(crate) callback: Callback,
}

impl Query {
    /// Reads the query of a script.
    ///
    /// # Errors
    ///
    /// `invalid_request` if it is malformed, has a secret, or has not one valid `callback`. Other
    /// mistakes are left to whoever reads the form, so that the script can tell them.
    pub(crate) fn read(query: Option<&str>) -> Result<Self, Error> {
        let malformed = || Error::invalid_request("The query is malformed");
        let query = query.unwrap_or_default();
        if query.bytes().filter(|byte| *byte == b'&').count() >= MAX_PARAMETERS {
            return Err(malformed());
        }
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|_| malformed())?;
        let is_secret = |name: &str| matches!(name, "client_secret" | "client_assertion");
        if pairs.iter().any(|(name, _)| is_secret(name)) {
            return Err(Error::invalid_request(
                "Secrets are not allowed in the query",
            ));
        }
        let mut callbacks = pairs.iter().filter(|(name, _)| name == "callback");
        let callback = match (callbacks.next(), callbacks.next()) {
            (Some((_, name)), None) => Callback::new(name),
            _ => None,
        };
        let callback =
            callback.ok_or_else(|| Error::invalid_request("The callback is not valid"))?;
        // As the strict parser of forms reads it. The decoder above repairs what is malformed.
        let form = query.split('&').filter(|pair| !is_callback(pair));
        let form = form.collect::<Vec<_>>().join("&");
        Ok(Self {
            form: form.into(),
            callback,
        })
    }
}

fn is_callback(pair: &str) -> bool {
    pair.split_once('=')
        .is_some_and(|(name, _)| name == "callback")
}

/// In the extensions of a response that is a script.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script;

impl Callback {
    pub(crate) fn new(name: &str) -> Option<Self> {
        let first = |character: char| character.is_ascii_alphabetic() || "_$".contains(character);
        let next = |character: char| character.is_ascii_alphanumeric() || "_$.".contains(character);
        let is_valid =
            name.len() <= MAX_CALLBACK && name.starts_with(first) && name.chars().all(next);
        is_valid.then(|| Self(name.to_owned()))
    }

    /// The script. Its status is always 200, because no page can read another one.
    ///
    /// The comment before the name keeps browsers from taking the script for a file of another type.
    /// The error is in the extensions, as in any other response.
    pub(crate) fn script(&self, error: Option<Error>) -> Response<Full<Bytes>> {
        let Self(callback) = self;
        let script = match &error {
            None => format!("/**/{callback}();"),
            Some(error) => {
                let code = plain(error.code_for_peer());
                format!(r#"/**/{callback}({{"error":"{code}"}});"#)
            }
        };
        let mut response = Response::new(Full::from(script));
        let headers = response.headers_mut();
        set_security_headers(headers);
        for (name, value) in [
            (
                header::CONTENT_TYPE,
                "application/javascript; charset=utf-8",
            ),
            (header::CONTENT_DISPOSITION, "attachment"),
            (header::REFERRER_POLICY, "no-referrer"),
            (CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let extensions = response.extensions_mut();
        if let Some(error) = error {
            extensions.insert(error);
        }
        extensions.insert(Script);
        response
    }
}

impl From<Callback> for String {
    fn from(callback: Callback) -> Self {
        callback.0
    }
}

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callback_is_a_name_with_dots() {
        for valid in [
            "a",
            "_",
            "$",
            "package.myCallback",
            "a1$_.b",
            &"a".repeat(64),
        ] {
            assert!(Callback::new(valid).is_some(), "{valid}");
        }
        for invalid in [
            "",
            ".a",
            "1a",
            "a-b",
            "a b",
            "a;b",
            "alert(1)//",
            "a[0]",
            "é",
            "a\\u0028",
            "a\n",
            &"a".repeat(65),
        ] {
            assert!(Callback::new(invalid).is_none(), "{invalid}");
        }
    }

    #[test]
    fn query_without_one_callback_is_refused() {
        for query in [
            None,
            Some(""),
            Some("token=a"),
            Some("token=a&callback="),
            Some("token=a&callback=b&callback=b"),
            Some("token=a&callback=b&c%61llback=c"),
            Some("callback=alert(1)"),
            Some("token=a&callback=b&client_secret=c"),
            Some("token=a&callback=b&client%5Fassertion=c"),
        ] {
            assert!(Query::read(query).is_err(), "{query:?}");
        }
        let many = "&a=b".repeat(MAX_PARAMETERS);
        assert!(Query::read(Some(&format!("callback=a{many}"))).is_err());
        let query = Query::read(Some("token=a%2Bb&callback=c&client_id=d")).unwrap();
        assert_eq!(query.form, "token=a%2Bb&client_id=d");
    }
}
