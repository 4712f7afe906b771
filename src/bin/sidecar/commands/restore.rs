//! `restore`: makes a log from a backup.

use std::process::ExitCode;

use serde_json::json;

use crate::{args::Restore, failure::Failure, store};

/// What the copy does not know.
const LOST: &str = "tokens that were revoked after the backup was made are live again: if some of them may \
                    not have expired, revoke all tokens of each issuer with `revoke --all --issuer URL`";

pub(super) async fn run(restore: Restore) -> Result<ExitCode, Failure> {
    let Restore { from, to } = restore;
    store::restore(&from, &to).await?;
    crate::out::line(&json!({ "restored_to": to }).to_string());
    eprintln!("revocation-sidecar: {LOST}");
    Ok(ExitCode::SUCCESS)
}
