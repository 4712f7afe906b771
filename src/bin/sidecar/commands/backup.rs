//! `backup`: copies the log while it is used.

use std::process::ExitCode;

use hyper::Method;
use serde_json::json;

use crate::{args::Backup, failure::Failure};

pub(super) async fn run(backup: Backup) -> Result<ExitCode, Failure> {
    let Some(path) = backup.path.to_str().filter(|_| backup.path.is_absolute()) else {
        let line = "the path must be absolute: the sidecar may run in another folder";
        return Err(Failure::usage(line));
    };
    let document = json!({ "path": path });
    let answer = backup
        .running
        .ask(Method::POST, "/v1/backup", Some(document));
    Ok(answer.await?.print())
}
