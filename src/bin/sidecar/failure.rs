//! Why the program ends.

use std::{error::Error, process::ExitCode};

use crate::config::{Origins, Problem, one_line};

/// Why the program ends without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A setting is wrong. Exit code 2.
    Setting(Problem),
    /// The command line or the text of the configuration is wrong. Exit code 2.
    Usage(String),
    /// Everything is set right, but something else does not work. Exit code 1.
    Start(String),
}

impl Failure {
    /// Names the line of the setting.
    pub(crate) fn at(self, origins: &Origins) -> Self {
        match self {
            Self::Setting(problem) => Self::Usage(origins.line(&problem)),
            other => other,
        }
    }

    /// What is wrong, on one line.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Setting(problem) => one_line(&format!("{}: {}", problem.key(), problem.reason())),
            Self::Usage(line) | Self::Start(line) => one_line(line),
        }
    }

    /// Prints one line.
    pub(crate) fn print(&self) -> ExitCode {
        eprintln!("revocation-sidecar: {}", self.line());
        ExitCode::from(match self {
            Self::Setting(_) | Self::Usage(_) => 2,
            Self::Start(_) => 1,
        })
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Setting(problem)
    }
}

/// An error and its causes, on one line.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line = format!("{line}: {cause}");
        next = cause.source();
    }
    line
}
