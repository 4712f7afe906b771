//! What is checked before an order is carried out.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{
    HeaderMap,
    body::Body,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderValue, ORIGIN},
    http::{request::Parts, uri::Authority},
};
use serde::de::DeserializeOwned;
use tower::BoxError;

use super::{document::Object, problem::Refusal};

/// The limit for a body with one document.
pub(super) const MAX_BODY: usize = 64 * 1024;
/// The limit for the time in which it arrives.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Refuses requests that a page of another origin sends, or that use another name of this server.
/// `hosts` are the allowed names, if requests come over the network.
pub(super) fn check_origin(head: &Parts, hosts: Option<&[String]>) -> Result<(), Refusal> {
    let host = host(head)?;
    if let Some(hosts) = hosts {
        let is_allowed = |name: &String| host.is_some_and(|host| host.eq_ignore_ascii_case(name));
        if !hosts.iter().any(is_allowed) {
            return Err(Refusal::Foreign("the Host is not one of this server"));
        }
    }
    let headers = &head.headers;
    for origin in headers.get_all(ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        let name = ["https://", "http://"]
            .iter()
            .find_map(|scheme| origin.strip_prefix(scheme));
        let is_own = hosts.is_some() && name.is_some_and(|name| host == Some(name));
        if !is_own {
            return Err(Refusal::Foreign("the request comes from another origin"));
        }
    }
    let site = headers.get_all("sec-fetch-site").iter();
    let is_foreign = |site: &HeaderValue| !matches!(site.as_bytes(), b"same-origin" | b"none");
    if site.into_iter().any(is_foreign) {
        return Err(Refusal::Foreign("the request comes from another origin"));
    }
    Ok(())
}

/// The host that a request names: the authority of its target, or its one `Host` (RFC 9112 §3.2).
pub(super) fn host(head: &Parts) -> Result<Option<&str>, Refusal> {
    let mut fields = head.headers.get_all(HOST).iter();
    let field = fields.next().map(HeaderValue::to_str);
    let (Ok(field), None) = (field.transpose(), fields.next()) else {
        return Err(Refusal::BadRequest("the request has not one Host"));
    };
    let authority = head.uri.authority().map(Authority::as_str);
    match (authority, field) {
        (Some(authority), Some(field)) if authority != field => {
            Err(Refusal::BadRequest("the Host is not that of the target"))
        }
        (authority, field) => Ok(authority.or(field)),
    }
}

/// The one parameter that a query may have.
pub(super) fn is_dry_run(query: Option<&str>) -> Result<bool, Refusal> {
    match query {
        None | Some("" | "dry_run=false") => Ok(false),
        Some("dry_run=true") => Ok(true),
        Some(_) => Err(Refusal::BadRequest(
            "the query may only be dry_run=true or dry_run=false",
        )),
    }
}

/// Refuses parameters.
pub(super) fn no_query(head: &Parts) -> Result<(), Refusal> {
    match head.uri.query() {
        None | Some("") => Ok(()),
        Some(_) => Err(Refusal::BadRequest("the resource has no parameters")),
    }
}

/// Reads the document of a request.
pub(super) async fn document<T, B>(headers: &HeaderMap, body: B) -> Result<T, Refusal>
where
    T: DeserializeOwned,
    B: Body<Data: Send, Error: Into<BoxError>>,
{
    parse(&self::body(headers, body, MAX_BODY).await?)
}

/// Reads the body of a request, at most `limit` bytes.
pub(super) async fn body<B>(headers: &HeaderMap, body: B, limit: usize) -> Result<Bytes, Refusal>
where
    B: Body<Data: Send, Error: Into<BoxError>>,
{
    check_media_type(headers)?;
    read(body, limit).await
}

/// Reads a document.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    // The message of the error may repeat what is in the body.
    let read = serde_json::from_slice(body).map_err(|error| Refusal::Document {
        line: error.line(),
        column: error.column(),
    });
    read.map(|Object(document)| document)
}

/// Reads at most `limit` bytes of any media type.
pub(super) async fn read<B>(body: B, limit: usize) -> Result<Bytes, Refusal>
where
    B: Body<Data: Send, Error: Into<BoxError>>,
{
    let limited = Limited::new(body, limit);
    let read = tokio::time::timeout(BODY_TIMEOUT, limited.collect());
    match read.await.map_err(|_| Refusal::TimedOut)? {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge(limit)),
        Err(_) => Err(Refusal::BadRequest("the body is incomplete")),
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut fields = headers.get_all(CONTENT_TYPE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return Err(Refusal::MediaType);
    };
    let field = field.to_str().unwrap_or_default();
    let essence = field.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") || headers.contains_key(CONTENT_ENCODING) {
        return Err(Refusal::MediaType);
    }
    Ok(())
}
