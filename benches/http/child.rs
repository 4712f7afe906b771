//! A server in a process of its own.

use std::{
    env,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{self, ChildStderr, ChildStdout, Command, Stdio},
};

use crate::serve::Variant;

/// Dropping it kills the process.
pub(crate) struct Child {
    process: process::Child,
    address: SocketAddr,
    /// Kept open, so that the process can print.
    _stdout: BufReader<ChildStdout>,
}

impl Child {
    /// Starts this program again, as a server.
    pub(crate) fn serve(variant: Variant) -> Self {
        let mut command = Command::new(env::current_exe().expect("this program has a path"));
        Self::start(command.args(["--serve", variant.name()]))
    }

    /// Starts a server that prints its address on the first line.
    pub(crate) fn start(command: &mut Command) -> Self {
        // The server ends when its stdin does, also if this process is killed.
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the server starts");
        let mut stdout = BufReader::new(process.stdout.take().expect("it is a pipe"));
        let mut line = String::new();
        stdout
            .read_line(&mut line)
            .expect("the server prints a line");
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.and_then(|address| address.parse().ok());
        Self {
            process,
            address: address.expect("the first line is the address"),
            _stdout: stdout,
        }
    }

    /// What it writes to stderr, if the command has a pipe there.
    pub(crate) fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.process.stderr.take()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
