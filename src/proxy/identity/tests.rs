use hyper::{HeaderMap, header::HeaderName};

use super::{IdentityHeaders, encoded};
use crate::introspect::{Introspection, Scope, TokenKind};

fn every() -> IdentityHeaders {
    IdentityHeaders::new()
        .subject(HeaderName::from_static("x-token-subject"))
        .client(HeaderName::from_static("x-token-client"))
        .scope(HeaderName::from_static("x-token-scope"))
        .issuer(HeaderName::from_static("x-token-issuer"))
        .session(HeaderName::from_static("x-token-session"))
}

fn forged() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in [
        "x-token-subject",
        "x_token_subject",
        "x.token-client",
        "X-TOKEN-SESSION",
    ] {
        headers.append(name.parse::<HeaderName>().unwrap(), "root".parse().unwrap());
        headers.append(name.parse::<HeaderName>().unwrap(), "two".parse().unwrap());
    }
    headers.insert("x-other", "kept".parse().unwrap());
    headers
}

#[test]
fn every_field_is_set_and_no_forged_one_stays() {
    let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
    token.sub = Some("alice".into());
    token.scope = Some(Scope::new("read write"));
    token.iss = Some("https://as.example.com".into());
    let mut headers = forged();
    every().set(Some(&token), &mut headers);
    let mut fields: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    fields.sort_unstable();
    let expected = [
        ("x-other", "kept"),
        ("x-token-client", "s6BhdRkqt3"),
        ("x-token-issuer", "https://as.example.com"),
        ("x-token-scope", "read write"),
        ("x-token-session", ""),
        ("x-token-subject", "alice"),
    ];
    assert_eq!(fields, expected);
}

#[test]
fn without_a_token_every_field_is_empty() {
    let mut headers = forged();
    every().set(None, &mut headers);
    assert_eq!(headers.len(), 6);
    for name in every().names() {
        assert_eq!(headers[name], "");
    }
}

#[test]
fn fields_without_names_stay_as_they_are() {
    let mut headers = forged();
    IdentityHeaders::new().set(None, &mut headers);
    assert_eq!(headers, forged());
}

#[test]
fn different_values_never_look_alike() {
    for (value, expected) in [
        ("", ""),
        ("auth0|5f7c8ec7", "auth0|5f7c8ec7"),
        ("Jane Doe, admin", "Jane Doe, admin"),
        ("é", "%C3%A9"),
        ("%C3%A9", "%25C3%25A9"),
        ("50%", "50%25"),
        (" a b ", "%20a b%20"),
        (" ", "%20"),
        ("a\r\nx-role: root", "a%0D%0Ax-role: root"),
        ("\t\0\u{7f}", "%09%00%7F"),
    ] {
        assert_eq!(encoded(value), expected, "{value:?}");
    }
}

#[test]
fn fields_that_change_the_request_are_no_identity() {
    for name in [
        "content-length",
        "content_length",
        "host",
        "connection",
        "transfer-encoding",
        "proxy-connection",
        "keep-alive",
        "cookie",
    ] {
        let name = name.parse::<HeaderName>().unwrap();
        assert!(!IdentityHeaders::is_possible(&name), "{name}");
    }
    for name in every().names() {
        assert!(IdentityHeaders::is_possible(name), "{name}");
    }
}

#[test]
#[should_panic(expected = "must not be `content-length`")]
fn identity_in_the_length_panics() {
    let _ = IdentityHeaders::new().client(HeaderName::from_static("content-length"));
}
