//! Why the program ends.

use std::{error::Error, process::ExitCode};

use crate::config::{Origins, Problem, Problems, one_line};

/// Why the program ends without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Settings are wrong. Exit code 2.
    Settings(Problems),
    /// The command line or the text of the configuration is wrong, in these lines. Exit code 2.
    Usage(Vec<String>),
    /// Everything is set right, but something else does not work. Exit code 1.
    Start(String),
}

impl Failure {
    pub(crate) fn usage(line: impl Into<String>) -> Self {
        Self::Usage(vec![line.into()])
    }

    /// Names the lines of the settings.
    pub(crate) fn at(self, origins: &Origins) -> Self {
        match self {
            Self::Settings(problems) => Self::Usage(origins.lines(&problems)),
            other => other,
        }
    }

    /// What is wrong, on one line.
    pub(crate) fn line(&self) -> String {
        self.lines().join("; ")
    }

    fn lines(&self) -> Vec<String> {
        match self {
            Self::Settings(problems) => {
                let line = |it: &Problem| one_line(&format!("{}: {}", it.key(), it.reason()));
                problems.iter().map(line).collect()
            }
            Self::Usage(lines) => lines.iter().map(|line| one_line(line)).collect(),
            Self::Start(line) => vec![one_line(line)],
        }
    }

    /// Prints a line for each mistake.
    pub(crate) fn print(&self) -> ExitCode {
        for line in self.lines() {
            eprintln!("revocation-sidecar: {line}");
        }
        ExitCode::from(match self {
            Self::Settings(_) | Self::Usage(_) => 2,
            Self::Start(_) => 1,
        })
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Settings(problem.into())
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Settings(problems)
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
