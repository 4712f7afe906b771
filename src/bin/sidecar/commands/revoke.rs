//! `revoke`: revokes by whose the tokens are.

use std::process::ExitCode;

use hyper::Method;
use serde_json::json;

use crate::{args::Revoke, failure::Failure};

pub(super) async fn run(order: Revoke) -> Result<ExitCode, Failure> {
    let Revoke {
        target,
        issuer,
        reason,
        dry_run,
        running,
    } = order;
    let mut names = serde_json::Map::new();
    for (name, value) in [
        ("subject", target.subject),
        ("client", target.client),
        ("session", target.session),
        ("grant", target.grant),
        ("jti", target.jti),
        ("key", target.key),
    ] {
        names.extend(value.map(|value| (name.to_owned(), json!(value))));
    }
    if target.all {
        let Some(issuer) = &issuer else {
            let line = "--all: name the issuer with --issuer URL";
            return Err(Failure::usage(line));
        };
        names.insert("issuer".into(), json!(issuer));
    }
    let mut document = json!({ "target": names });
    for (name, value) in [("issuer", issuer), ("reason", reason)] {
        if let Some(value) = value {
            document[name] = json!(value);
        }
    }
    let path = if dry_run {
        "/v1/revocations?dry_run=true"
    } else {
        "/v1/revocations"
    };
    let answer = running.ask(Method::POST, path, Some(document)).await?;
    Ok(answer.print())
}
