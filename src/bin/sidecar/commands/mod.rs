//! The commands. Most ask the sidecar that runs by its admin socket.

mod ask;
mod backup;
mod check_token;
mod health;
mod orders;
mod restore;
mod revoke;
mod status;

use std::process::ExitCode;

use crate::{args::Command, failure::Failure};

/// Runs a command. Prints the answer on stdout, and says what is wrong on stderr.
pub(crate) async fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        // It has a runtime of its own.
        Command::Demo => crate::demo::run().await.map(|()| ExitCode::SUCCESS),
        Command::Revoke(order) => revoke::run(order).await,
        Command::Orders(orders) => orders::run(orders).await,
        Command::CheckToken(running) => check_token::run(running).await,
        Command::Status(running) => status::run(running).await,
        Command::Backup(backup) => backup::run(backup).await,
        Command::Restore(restore) => restore::run(restore).await,
        Command::Health(health) => health::run(health).await,
    }
}
