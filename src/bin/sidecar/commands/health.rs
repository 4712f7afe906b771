//! `health`: the probe of a container without a shell.

use std::process::ExitCode;

use hyper::Method;

use crate::{args::Health, failure::Failure};

pub(super) async fn run(health: Health) -> Result<ExitCode, Failure> {
    let path = if health.live { "/livez" } else { "/readyz" };
    let answer = health.running.ask(Method::GET, path, None).await?;
    crate::out::line(answer.text.trim_end());
    Ok(if answer.status.is_success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
