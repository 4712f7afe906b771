//! `check-token`: what a token is. It comes from standard input, because others on the machine can
//! read arguments.

use std::{
    io::{self, Read as _},
    process::ExitCode,
};

use hyper::Method;
use serde_json::{Value, json};
use tower_revocation::Secret;

use crate::{args::Running, failure::Failure};

/// No token is longer.
const LONGEST: u64 = 64 * 1024;
/// The exit code for a token that is certainly not live.
const NOT_LIVE: u8 = 3;

pub(super) async fn run(running: Running) -> Result<ExitCode, Failure> {
    let mut text = String::new();
    let read = io::stdin().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format!("standard input: {error}")))?;
    let text = Secret::from(text);
    let token = text.expose().trim();
    let token = token.strip_prefix("Bearer ").unwrap_or(token).trim();
    if token.is_empty() {
        let line = "standard input is empty: write the token to it";
        return Err(Failure::usage(line));
    }
    let document = json!({ "token": token });
    let answer = running.ask(Method::POST, "/v1/tokens:inspect", Some(document));
    let answer = answer.await?;
    let failed = answer.print();
    if !answer.status.is_success() {
        return Ok(failed);
    }
    let inspection: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    Ok(match inspection["verdict"].as_str() {
        Some("live") => ExitCode::SUCCESS,
        // It could not be found out.
        Some("unknown") | None => ExitCode::FAILURE,
        Some(_) => ExitCode::from(NOT_LIVE),
    })
}
