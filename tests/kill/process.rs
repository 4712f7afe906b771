//! Starts this program again as the [`child`](super::child), and kills it.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Instant,
};

use super::token::Token;

/// The variable with the path of the log, for the child.
pub(crate) const FILE: &str = "KILL_FILE";

/// A line from the child.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    Asked {
        token: Token,
        status: u16,
        /// Whether the index was ready before and after.
        ready: [bool; 2],
    },
    Revoked {
        token: Token,
        status: u16,
    },
    Sweeping,
    Swept(usize),
}

/// Dropping it closes the stdin of the child, which then ends.
pub(crate) struct Process {
    child: Child,
    lines: ChildStdin,
    said: Receiver<Said>,
}

impl Process {
    pub(crate) fn start(file: &Path) -> Self {
        let mut child = Command::new(env::current_exe().expect("the path of this program"))
            .args(["--exact", super::TEST, "--nocapture"])
            .env(FILE, file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starting the child");
        let lines = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (said, hear) = channel();
        thread::spawn(move || {
            // Ignores lines of the test harness, and an incomplete line.
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(line) = parse(&line) {
                    let _ = said.send(line);
                }
            }
        });
        Self {
            child,
            lines,
            said: hear,
        }
    }

    pub(crate) fn ask(&mut self, token: Token) {
        self.tell(&format!("ask {token}"));
    }

    pub(crate) fn revoke(&mut self, token: Token) {
        self.tell(&format!("revoke {token}"));
    }

    pub(crate) fn sweep(&mut self) {
        self.tell("sweep");
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.lines, "{line}").expect("the child runs until it is killed");
    }

    /// The next line, if there is one until then.
    ///
    /// # Panics
    ///
    /// If the child has ended by itself.
    pub(crate) fn hear(&self, until: Instant) -> Option<Said> {
        match self
            .said
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            Ok(said) => Some(said),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the child ended by itself"),
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killing the child");
        self.child.wait().expect("waiting for the child");
    }

    /// The next line that the child printed before it was killed.
    pub(crate) fn last_words(&self) -> Option<Said> {
        self.said.recv().ok()
    }
}

fn parse(line: &str) -> Option<Said> {
    let words: Vec<_> = line.split(' ').collect();
    Some(match *words {
        ["asked", token, status, before, after] => Said::Asked {
            token: Token::parse(token)?,
            status: status.parse().ok()?,
            ready: [before.parse().ok()?, after.parse().ok()?],
        },
        ["revoked", token, status] => Said::Revoked {
            token: Token::parse(token)?,
            status: status.parse().ok()?,
        },
        ["sweeping"] => Said::Sweeping,
        ["swept", records] => Said::Swept(records.parse().ok()?),
        _ => return None,
    })
}
