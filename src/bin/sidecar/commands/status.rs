//! `status`: the state of the sidecar.

use std::process::ExitCode;

use hyper::Method;

use crate::{args::Running, failure::Failure};

pub(super) async fn run(running: Running) -> Result<ExitCode, Failure> {
    let answer = running.ask(Method::GET, "/v1/status", None).await?;
    Ok(answer.print())
}
