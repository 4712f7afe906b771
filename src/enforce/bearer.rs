//! Which token does a request have?

use hyper::{
    HeaderMap,
    header::{self, HeaderValue},
};

use crate::{introspect::TokenType, token::Secret};

/// Which tokens are introspected. The introspection limits their length.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// A token may have any visible ASCII character (RFC 6749 §A.12).
    pub(super) any_visible: bool,
}

/// What the Authorization header has (RFC 6750 §2.1, RFC 9449 §7.1).
#[derive(Debug)]
pub(super) enum Presented {
    /// No header, or credentials of a scheme that is not for tokens.
    Nothing,
    /// More than one header, or a scheme for tokens without a token.
    Malformed,
    /// Something that cannot be a token.
    Impossible(TokenType),
    /// A token.
    Token(TokenType, Secret),
}

pub(super) fn presented(headers: &HeaderMap, shape: Shape) -> Presented {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let Some(field) = fields.next() else {
        return Presented::Nothing;
    };
    if fields.next().is_some() {
        return Presented::Malformed;
    }
    let (scheme, rest) = split(field);
    let Some(scheme) = scheme else {
        return Presented::Nothing;
    };
    let token = rest.trim_ascii();
    if token.is_empty() || !rest.starts_with(b" ") {
        return Presented::Malformed;
    }
    match std::str::from_utf8(token) {
        Ok(text) if shape.admits(token) => Presented::Token(scheme, Secret::from(text)),
        // No shape admits a blank.
        _ if token.contains(&b' ') => Presented::Malformed,
        _ => Presented::Impossible(scheme),
    }
}

/// The scheme of the first Authorization header, if it is one for tokens.
pub(super) fn scheme(headers: &HeaderMap) -> Option<TokenType> {
    split(headers.get(header::AUTHORIZATION)?).0
}

/// The scheme, if it is one for tokens, and what follows it.
fn split(field: &HeaderValue) -> (Option<TokenType>, &[u8]) {
    let field = field.as_bytes().trim_ascii();
    // A scheme ends where its characters end: others read the same scheme before a tab.
    let end = field.iter().position(|byte| !is_tchar(*byte));
    let (scheme, rest) = field.split_at(end.unwrap_or(field.len()));
    let scheme = std::str::from_utf8(scheme).ok();
    (scheme.and_then(TokenType::from_name), rest)
}

impl Shape {
    fn admits(self, token: &[u8]) -> bool {
        let visible = || token.iter().all(u8::is_ascii_graphic);
        is_token68(token) || self.any_visible && visible()
    }
}

/// `tchar` of RFC 9110 §5.6.2.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `b64token` of RFC 6750 §2.1, `token68` of RFC 9110 §11.2.
fn is_token68(token: &[u8]) -> bool {
    let padding = token.iter().rev().take_while(|byte| **byte == b'=');
    let text = &token[..token.len() - padding.count()];
    // A token has hundreds of bytes. Without an early exit, the compiler checks many at once.
    let forbidden = text
        .iter()
        .fold(false, |any, byte| any | !is_allowed(*byte));
    !text.is_empty() && !forbidden
}

/// A letter, a digit, or one of `-._~+/`.
fn is_allowed(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    // `-`, `.` and `/` come before the digits.
    let is_digit = byte.wrapping_sub(b'-') <= b'9' - b'-';
    is_letter || is_digit || byte == b'_' || byte == b'~' || byte == b'+'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[&str]) -> Presented {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::AUTHORIZATION, field.parse().unwrap());
        }
        presented(&headers, Shape::default())
    }

    #[test]
    fn scheme_is_case_insensitive_and_may_be_dpop() {
        for (field, expected) in [
            ("Bearer mF_9.B5f-4.1JqM", TokenType::Bearer),
            ("bEARER mF_9.B5f-4.1JqM", TokenType::Bearer),
            ("DPoP mF_9.B5f-4.1JqM", TokenType::Dpop),
            ("dpop   mF_9.B5f-4.1JqM", TokenType::Dpop),
            (" \tBearer mF_9.B5f-4.1JqM ", TokenType::Bearer),
        ] {
            let Presented::Token(scheme, token) = of(&[field]) else {
                panic!("{field}");
            };
            assert_eq!((scheme, token.expose()), (expected, "mF_9.B5f-4.1JqM"));
        }
    }

    #[test]
    fn another_scheme_has_no_token() {
        for field in [
            "Basic czZCaGRSa3F0Mw==",
            "Bear x",
            "Bearerx",
            "",
            "BearerBearer x",
        ] {
            assert!(matches!(of(&[field]), Presented::Nothing), "{field}");
        }
        assert!(matches!(of(&[]), Presented::Nothing));
    }

    #[test]
    fn two_fields_and_a_scheme_without_a_token_are_malformed() {
        for fields in [
            &["Bearer a", "Bearer a"] as &[&str],
            &["Bearer a", "Basic czZCaGRSa3F0Mw=="],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a, Bearer b"],
        ] {
            assert!(matches!(of(fields), Presented::Malformed), "{fields:?}");
        }
    }

    #[test]
    fn scheme_for_tokens_is_recognised_before_any_character() {
        for field in [
            "Bearer\ta",
            "bearer\t a",
            "DPoP\t",
            "Bearer,a",
            "Bearer=a",
            "Bearer:a",
            "Bearer \u{e9}",
            "Bearer\u{a0}a",
        ] {
            let presented = of(&[field]);
            assert!(
                !matches!(presented, Presented::Nothing | Presented::Token(..)),
                "{field:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_not_introspected() {
        for field in [
            "Bearer a,b",
            "Bearer =",
            "Bearer a=b",
            "Bearer \"a\"",
            "Bearer a%20",
        ] {
            assert!(matches!(of(&[field]), Presented::Impossible(_)), "{field}");
        }
    }

    #[test]
    fn characters_of_a_token_are_those_of_the_grammar() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(is_allowed(byte), expected, "{byte}");
            for at in [0, 15, 16, 40, 99] {
                let mut token = [b'a'; 100];
                token[at] = byte;
                let is_padding = byte == b'=' && at == 99;
                assert_eq!(is_token68(&token), expected || is_padding, "{byte} at {at}");
            }
        }
    }

    #[test]
    fn any_visible_character_may_be_allowed() {
        let lenient = Shape { any_visible: true };
        let of = |field: &str| {
            let field = hyper::header::HeaderValue::from_bytes(field.as_bytes()).unwrap();
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, field)]);
            presented(&headers, lenient)
        };
        for token in [
            "17|yLDoe3",
            "urn:token:1",
            "a,b",
            "\"a\"",
            "a=b",
            "a%20",
            "{}",
            "=",
        ] {
            let Presented::Token(TokenType::Bearer, found) = of(&format!("Bearer {token}")) else {
                panic!("{token}");
            };
            assert_eq!(found.expose(), token);
        }
        assert!(matches!(of("Bearer a b"), Presented::Malformed));
        assert!(matches!(of("Bearer a, Bearer b"), Presented::Malformed));
        for token in ["a\tb", "\u{e9}"] {
            let presented = of(&format!("Bearer {token}"));
            assert!(matches!(presented, Presented::Impossible(_)), "{token:?}");
        }
    }
}
