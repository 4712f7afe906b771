//! Starts an example, and ends it.

use std::{
    io::{self, BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long a test waits for a server before it fails: far longer than a server ever takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server that runs. Dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    said: Receiver<io::Result<String>>,
    log: Option<JoinHandle<String>>,
    pub(crate) address: String,
}

pub(crate) fn binary(example: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    // target/debug/deps/server-… => target/debug/examples/…
    path.pop();
    path.pop();
    path.join("examples").join(example)
}

/// The command, told nothing by the environment of the tests.
pub(crate) fn command() -> Command {
    let mut command = Command::new(binary("authorization_server"));
    for name in [
        "ACCESS_TOKENS",
        "ISSUER",
        "CORS_ORIGINS",
        "CLIENTS",
        "DEMO_EXPOSE",
        "DATA",
        "KEYS",
        "TLS_LISTEN",
        "TRUSTED_PROXIES",
    ] {
        command.env_remove(name);
    }
    command.env("LISTEN", "127.0.0.1:0");
    command
}

impl Server {
    /// On a file, at a port that is free.
    pub(crate) fn start(data: &Path) -> Self {
        let mut command = command();
        command.env("DATA", data);
        Self::run(command)
    }

    /// The same, and its access tokens are JWTs.
    pub(crate) fn start_with_jwts(data: &Path) -> Self {
        let mut command = command();
        command.env("DATA", data).arg("--jwt");
        Self::run(command)
    }

    pub(crate) fn run(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .expect("cargo builds the examples before the tests run");
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (say, said) = channel();
        // All of it is read, or the server would block.
        std::thread::spawn(move || {
            lines.for_each(|line| {
                let _ = say.send(line);
            });
        });
        let mut server = Self {
            child,
            said,
            log: Some(log),
            address: String::new(),
        };
        let line = server.next_line();
        let address = line.strip_prefix("listening on http://");
        address
            .expect("where it listens")
            .clone_into(&mut server.address);
        server
    }

    /// The next line of what it prints.
    pub(crate) fn next_line(&mut self) -> String {
        let Ok(line) = self.said.recv_timeout(PATIENCE) else {
            let _ = self.child.kill();
            let (status, log) = self.wait();
            panic!("it does not print another line, {status}: {log}");
        };
        line.unwrap()
    }

    /// All that it prints until it ends.
    pub(crate) fn rest(&mut self) -> String {
        self.said.iter().map(|line| line.unwrap() + "\n").collect()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `kill -9`, and what it had logged.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.wait().1
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let status = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// How it ended, and what it logged.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        };
        (status, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program prints until it ends. One that goes on is killed, which is no success.
pub(crate) fn output(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// The only line that a program says before it gives up, with 1 for its status.
pub(crate) fn last_words(mut command: Command) -> String {
    let output = output(&mut command);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty(), "{:?}", output.stdout);
    let line = said.strip_suffix('\n').unwrap_or_default();
    assert!(!line.is_empty() && !line.contains('\n'), "{said:?}");
    line.to_owned()
}

/// A folder for the server's file.
pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("state.redb");
    (folder, data)
}
