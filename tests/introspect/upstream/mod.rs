//! Tokens that another server knows, asked of a real one that lies, stalls and dies.

mod answer;
mod cache;
mod connection;
mod length;
mod sent;
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

/// An active token of `c1`, with these members beside.
pub(crate) fn active(beside: Value) -> Value {
    let mut answer = json!({ "active": true, "client_id": "c1" });
    let Value::Object(beside) = beside else {
        panic!("members are an object");
    };
    answer.as_object_mut().unwrap().extend(beside);
    answer
}

/// All that is told of an error.
fn told(error: &UpstreamError) -> String {
    let mut told = format!("{error} {error:?}");
    let mut link = error.source();
    while let Some(cause) = link {
        told = format!("{told} {cause} {cause:?}");
        link = cause.source();
    }
    told
}
