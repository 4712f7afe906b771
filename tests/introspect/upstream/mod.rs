//! `Upstream`, against a real server that sends wrong responses, stalls and stops.

mod cache;
mod connection;
mod max_token;
mod request;
mod response;
mod series;
pub(crate) mod server;
mod signed;

use std::error::Error;

use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    introspect::{
        Introspected, Introspection,
        upstream::{Upstream, UpstreamError},
    },
};

pub(crate) async fn ask(
    upstream: &Upstream,
    token: &str,
) -> Result<Option<Introspection>, UpstreamError> {
    Ok(introspect(upstream, token).await?.into_token())
}

async fn introspect(upstream: &Upstream, token: &str) -> Result<Introspected, UpstreamError> {
    upstream.clone().oneshot(Secret::new(token)).await
}

/// A response about an active token of `c1`, with these additional members.
pub(crate) fn active(more: Value) -> Value {
    let mut response = json!({ "active": true, "client_id": "c1" });
    let Value::Object(more) = more else {
        panic!("the members are not an object");
    };
    response.as_object_mut().unwrap().extend(more);
    response
}

/// Everything that an error and its sources print.
fn printed(error: &UpstreamError) -> String {
    let mut printed = format!("{error} {error:?}");
    let mut link = error.source();
    while let Some(cause) = link {
        printed = format!("{printed} {cause} {cause:?}");
        link = cause.source();
    }
    printed
}
