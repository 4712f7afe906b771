//! Which issuer does a token name? Nothing is verified here.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use crate::introspect::Reason;

/// What a token names as its issuer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    Issuer(String),
    /// No issuer that can be read, and what the token is instead.
    None(Reason),
    TooLong,
}

/// The one claim that is read. Others are skipped. A second `iss` is an error, because readers
/// would disagree about which one counts (RFC 7519 §4).
#[derive(Deserialize)]
struct Claims<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
}

/// Reads the issuer of a compact JWS (RFC 7515 §7.1) of at most `max` bytes.
pub(super) fn by(token: &str, max: usize) -> Named {
    if token.len() > max {
        return Named::TooLong;
    }
    let Some(claims) = claims(token) else {
        return Named::None(Reason::NotAToken);
    };
    // `serde` would also read the claims from an array.
    if !claims.trim_ascii_start().starts_with(b"{") {
        return Named::None(Reason::NotAToken);
    }
    match serde_json::from_slice::<Claims<'_>>(&claims) {
        Ok(Claims { iss }) => Named::Issuer(iss.into_owned()),
        Err(_) => Named::None(Reason::Issuer),
    }
}

/// Decodes the payload as strictly as the verification does.
fn claims(token: &str) -> Option<Vec<u8>> {
    let mut parts = token.split('.');
    let (_, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if signature.is_empty() || parts.next().is_some() {
        return None;
    }
    URL_SAFE_NO_PAD.decode(claims).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 16 * 1024;

    fn by_claims(json: &str) -> Named {
        by(&format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(json)), MAX)
    }

    #[test]
    fn issuer_is_read_from_the_one_claim() {
        let issuer = || Named::Issuer("https://a.test".to_owned());
        for json in [
            r#"{"iss":"https://a.test"}"#,
            r#" {"sub":"x","iss":"https://a.test","aud":["iss"],"x":{"iss":"b"}}"#,
            r#"{"\u0069ss":"https:\/\/a.test"}"#,
        ] {
            assert_eq!(by_claims(json), issuer(), "{json}");
        }
        let long = "i".repeat(9000);
        assert_eq!(
            by_claims(&format!(r#"{{"iss":"{long}"}}"#)),
            Named::Issuer(long)
        );
    }

    #[test]
    fn unreadable_issuer_names_nobody() {
        for json in [
            "{}",
            "{",
            "",
            r#"{"iss":null}"#,
            r#"{"iss":7}"#,
            r#"{"iss":["https://a.test"]}"#,
            r#"{"iss":{"iss":"https://a.test"}}"#,
            r#"{"iss":"https://a.test","iss":"https://a.test"}"#,
            r#"{"iss":"https://b.test","\u0069ss":"https://a.test"}"#,
            r#"{"iss":"https://a.test"} x"#,
            r#"{"iss":"\ud800"}"#,
            r#"["https://a.test"]"#,
            r#"{"ISS":"https://a.test"}"#,
        ] {
            let named = by_claims(json);
            assert!(matches!(named, Named::None(_)), "{json}: {named:?}");
        }
        let deep = format!(
            r#"{{"x":{}{},"iss":"https://a.test"}}"#,
            "[".repeat(5000),
            "]".repeat(4999)
        );
        assert!(matches!(by_claims(&deep), Named::None(_)));
    }

    #[test]
    fn token_that_is_no_jws_names_nobody() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"iss":"https://a.test"}"#);
        for token in [
            String::new(),
            "opaque".to_owned(),
            claims.clone(),
            format!("e30.{claims}"),
            format!("e30.{claims}."),
            format!("e30.{claims}=.c2ln"),
            format!("e30.{claims}.c2ln.x"),
            format!("e30.{claims}.a.b.c"),
            format!("e30. {claims}.c2ln"),
        ] {
            assert_eq!(by(&token, MAX), Named::None(Reason::NotAToken), "{token}");
        }
    }

    #[test]
    fn long_token_is_not_read() {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"iss":"a"}"#));
        assert_eq!(by(&token, token.len()), Named::Issuer("a".to_owned()));
        assert_eq!(by(&token, token.len() - 1), Named::TooLong);
    }
}
