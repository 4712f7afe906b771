//! The method and the URI of the original request, as the proxy reports them.

use hyper::{
    HeaderMap, Method, Uri,
    http::{request::Parts, uri::PathAndQuery},
};

use crate::proxy::is_canonical;

/// Fields in which proxies report the method and the URI.
pub(super) const PAIRS: [[&str; 2]; 2] = [
    ["x-original-method", "x-original-uri"],
    ["x-forwarded-method", "x-forwarded-uri"],
];

/// A field is repeated or is not text, or a method or a URI is missing.
struct Unclear;

/// The method and the URI that the proxy reports. `below` is what follows the path of the service.
///
/// `None` if there is no report, if one is unclear, or if two differ: the client may have written
/// one of them, in fields that this proxy does not set.
pub(super) fn reported(head: &Parts, below: &str) -> Option<(Method, Uri)> {
    let target = match head.uri.query() {
        Some(query) => format!("{below}?{query}"),
        None => below.to_owned(),
    };
    let in_path = (!below.is_empty()).then_some((head.method.as_str(), target.as_str()));
    let mut reports: Vec<_> = in_path.into_iter().collect();
    for [method, uri] in PAIRS {
        reports.extend(pair(&head.headers, method, uri).ok()?);
    }
    let (method, target) = reports.pop()?;
    if reports.iter().any(|report| *report != (method, target)) {
        return None;
    }
    original(method.as_bytes(), target.as_bytes())
}

/// The method and the URI of a request, if the path is [canonical](is_canonical).
pub(in crate::proxy) fn original(method: &[u8], target: &[u8]) -> Option<(Method, Uri)> {
    let method = Method::from_bytes(method).ok()?;
    let target = std::str::from_utf8(target).ok()?;
    // A parser drops the fragment, so look for it first.
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    if !is_canonical(path) || target.contains('#') {
        return None;
    }
    Some((method, PathAndQuery::try_from(target).ok()?.into()))
}

fn pair<'a>(
    headers: &'a HeaderMap,
    method: &str,
    uri: &str,
) -> Result<Option<(&'a str, &'a str)>, Unclear> {
    match (single(headers, method)?, single(headers, uri)?) {
        (None, None) => Ok(None),
        (Some(method), Some(uri)) => Ok(Some((method, uri))),
        (Some(_), None) | (None, Some(_)) => Err(Unclear),
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Unclear> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Unclear),
        (Some(_), Some(_)) => Err(Unclear),
    }
}
