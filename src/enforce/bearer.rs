//! Which token did the request bring?

use hyper::{HeaderMap, header};

use crate::{introspect::TokenType, token::Secret};

/// Which tokens are looked at. How long one may be is for its introspection to say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// Every visible ASCII character may stand in a token, as RFC 6749 §A.12 has it.
    pub(super) any_visible: bool,
}

/// What the Authorization field says (RFC 6750 §2.1, RFC 9449 §7.1).
#[derive(Debug)]
pub(super) enum Presented {
    /// No field, or credentials of a scheme that is not for tokens.
    Nothing,
    /// More than one field, or no token where one should be.
    Malformed,
    /// A token that cannot be one.
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
    let field = field.as_bytes().trim_ascii();
    // A scheme ends where its characters do: with a tab behind it, it is the same one to others.
    let end = field.iter().position(|octet| !is_tchar(*octet));
    let (scheme, rest) = field.split_at(end.unwrap_or(field.len()));
    let scheme = std::str::from_utf8(scheme)
        .ok()
        .and_then(TokenType::from_name);
    let Some(scheme) = scheme else {
        return Presented::Nothing;
    };
    let token = rest.trim_ascii();
    if token.is_empty() || token.contains(&b' ') || !rest.starts_with(b" ") {
        return Presented::Malformed;
    }
    match std::str::from_utf8(token) {
        Ok(text) if shape.admits(token) => Presented::Token(scheme, Secret::from(text)),
        _ => Presented::Impossible(scheme),
    }
}

impl Shape {
    fn admits(self, token: &[u8]) -> bool {
        let visible = || token.iter().all(u8::is_ascii_graphic);
        is_token68(token) || self.any_visible && visible()
    }
}

/// `tchar` of RFC 9110 §5.6.2.
fn is_tchar(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

/// `b64token` of RFC 6750 §2.1, `token68` of RFC 9110 §11.2.
fn is_token68(token: &[u8]) -> bool {
    let padding = token.iter().rev().take_while(|octet| **octet == b'=');
    let text = &token[..token.len() - padding.count()];
    !text.is_empty() && text.iter().all(|octet| ALLOWED[usize::from(*octet)])
}

/// A token has hundreds of octets, and each is looked at.
const ALLOWED: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut octet = 0_u8;
    while octet < 128 {
        allowed[octet as usize] = octet.is_ascii_alphanumeric()
            || matches!(octet, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
        octet += 1;
    }
    allowed
};

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
    fn another_scheme_is_no_token() {
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
    fn scheme_for_tokens_is_none_other_whatever_stands_behind_it() {
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
            let said = of(&[field]);
            assert!(
                !matches!(said, Presented::Nothing | Presented::Token(..)),
                "{field:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_not_asked_about() {
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
            let said = of(&format!("Bearer {token}"));
            assert!(matches!(said, Presented::Impossible(_)), "{token:?}");
        }
    }
}
