//! The frame of a program: its log, and its last words.

use std::{error::Error, future::Future, io, io::IsTerminal as _, process::ExitCode};

use tracing_subscriber::filter::LevelFilter;

use crate::setting::causes;

/// Runs the program. Logs go to stderr, with colors only on a terminal. An error is one line there.
pub(crate) async fn run(program: impl Future<Output = Result<(), Box<dyn Error>>>) -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_max_level(LevelFilter::INFO)
        .init();
    match program.await {
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
