//! The head of the original request, from what the proxy sends.

use hyper::{HeaderMap, header, http::request::Parts};

use super::original::{PAIRS, reported};
use crate::introspect::TokenType;

/// In the extensions of a head: its method and its URI are those of the original request, the proxy
/// is trusted, and the path is canonical.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) struct KnownRoute;

/// Turns the head of a question in HTTP into that of the original request. `below` is what follows
/// the path of the service.
pub(super) fn restore(mut head: Parts, below: &str, is_trusted: bool) -> Parts {
    let reported = is_trusted.then(|| reported(&head, below)).flatten();
    if !is_trusted {
        remove_reports(&mut head.headers);
    }
    if let Some((method, uri)) = reported {
        (head.method, head.uri) = (method, uri);
        head.extensions.insert(KnownRoute);
    } else {
        head.extensions.remove::<KnownRoute>();
    }
    clean(&mut head.headers);
    head
}

/// Prepares the fields of a request for the layer.
pub(in crate::proxy) fn clean(headers: &mut HeaderMap) {
    // To a call of gRPC the layer would respond with the HTTP status 200, which is permission here.
    headers.remove(header::CONTENT_TYPE);
    headers.remove(header::FORWARDED);
    part_authorization(headers);
}

/// Whether a policy may be chosen by the method and the URI.
pub(super) fn is_known_route(head: &Parts) -> bool {
    head.extensions.get::<KnownRoute>().is_some()
}

fn remove_reports(headers: &mut HeaderMap) {
    let reports = headers.keys().filter(|name| {
        let name = name.as_str();
        name.starts_with("x-forwarded-") || PAIRS.as_flattened().contains(&name)
    });
    for name in reports.cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
}

/// Parts Authorization fields that a proxy has joined by a comma, so that the layer sees that there
/// are several. If the first of them is not for tokens, it would ignore the others.
fn part_authorization(headers: &mut HeaderMap) {
    let Some(field) = headers.get(header::AUTHORIZATION) else {
        return;
    };
    // Most fields are one long token without a comma.
    let text = field.as_bytes();
    let Some(comma) = memchr::memchr(b',', text) else {
        return;
    };
    let mut others = text[comma + 1..].split(|byte| *byte == b',');
    if others.any(|part| scheme(part).is_some()) {
        let field = field.clone();
        headers.append(header::AUTHORIZATION, field);
    }
}

/// The scheme for tokens that this text begins with.
fn scheme(text: &[u8]) -> Option<TokenType> {
    let text = text.trim_ascii();
    let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric());
    let name = &text[..end.unwrap_or(text.len())];
    std::str::from_utf8(name)
        .ok()
        .and_then(TokenType::from_name)
}
