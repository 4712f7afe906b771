//! The frame of a program: its log, and its last words.

use std::{error::Error, future::Future, process::ExitCode};

use crate::{log::Log, setting::causes};

/// Runs the program. The log goes to stderr. An error is one line there.
pub(crate) async fn run<F>(program: impl FnOnce(Log) -> F) -> ExitCode
where
    F: Future<Output = Result<(), Box<dyn Error>>>,
{
    let log = Log::new();
    let ended = match log.install() {
        Ok(()) => program(log.clone()).await,
        Err(error) => Err(error),
    };
    log.flush();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", one_line(&*error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes. Escapes line breaks, so that a value cannot add a line.
fn one_line(error: &dyn Error) -> String {
    let escape = |character: char| {
        let escaped = character.is_control().then(|| character.escape_default());
        let plain = escaped.is_none().then_some(character);
        escaped.into_iter().flatten().chain(plain)
    };
    causes(error).chars().flat_map(escape).collect()
}
