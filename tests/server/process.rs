//! Starts an example, and ends it.

use std::{
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long a test waits for a server before it fails. A server never takes that long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// A server that runs. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    printed: Receiver<io::Result<String>>,
    log: Arc<Mutex<String>>,
    log_reader: Option<JoinHandle<()>>,
    pub(crate) address: String,
}

pub(crate) fn binary(example: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    // target/debug/deps/server-… => target/debug/examples/…
    path.pop();
    path.pop();
    path.join("examples").join(example)
}

/// The authorization server, without the settings in the environment of the tests.
pub(crate) fn command() -> Command {
    let mut command = Command::new(binary("authorization_server"));
    for name in [
        "ACCESS_TOKENS",
        "ISSUER",
        "CORS_ORIGINS",
        "CLIENTS",
        "DEMO_EXPOSE",
        "FEED_TOKENS",
        "DATA",
        "KEYS",
        "LOG",
        "TLS_LISTEN",
        "TRUSTED_PROXIES",
        "RUST_LOG",
        "NO_COLOR",
    ] {
        command.env_remove(name);
    }
    command.env("LISTEN", "127.0.0.1:0");
    command
}

impl Server {
    /// Starts an authorization server with this file, on a free port.
    pub(crate) fn start(data: &Path) -> Self {
        let mut command = command();
        command.env("DATA", data);
        Self::run(command)
    }

    /// The same, with JWT access tokens.
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
            .expect("cargo builds the examples before it runs the tests");
        let log = Arc::<Mutex<String>>::default();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let lines = Arc::clone(&log);
        let log_reader = thread::spawn(move || {
            for line in stderr.lines() {
                let mut log = lines.lock().unwrap();
                *log += &line.unwrap();
                log.push('\n');
            }
        });
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, printed) = channel();
        // Reads everything, or the server would block.
        thread::spawn(move || {
            stdout.lines().for_each(|line| {
                let _ = sender.send(line);
            });
        });
        let mut server = Self {
            child,
            printed,
            log,
            log_reader: Some(log_reader),
            address: String::new(),
        };
        let line = server.next_line();
        let address = line.strip_prefix("listening on http://");
        address
            .expect("the first line is the address")
            .clone_into(&mut server.address);
        server
    }

    /// The next line that it prints.
    pub(crate) fn next_line(&mut self) -> String {
        let Ok(line) = self.printed.recv_timeout(TIMEOUT) else {
            let _ = self.child.kill();
            let (status, log) = self.wait();
            panic!("the server prints no further line, {status}: {log}");
        };
        line.unwrap()
    }

    /// All further lines that it prints, until it ends.
    pub(crate) fn rest(&mut self) -> String {
        self.printed
            .iter()
            .map(|line| line.unwrap() + "\n")
            .collect()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns when the log contains this text.
    pub(crate) fn wait_for_log(&self, text: &str) {
        let begun = Instant::now();
        while !self.log.lock().unwrap().contains(text) {
            let log = self.log.lock().unwrap();
            assert!(begun.elapsed() < TIMEOUT, "no {text:?} in the log: {log}");
            drop(log);
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// `kill -9`. Returns the log. The lines of its last 100 ms may be missing.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.wait().1
    }

    /// Ends it gracefully. Returns the log.
    pub(crate) fn end(mut self) -> String {
        self.signal("TERM");
        let (status, log) = self.wait();
        assert!(status.success(), "{status}: {log}");
        log
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

    /// Waits until it ends. Returns its status and its log.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < TIMEOUT, "the server does not end");
            thread::sleep(Duration::from_millis(5));
        };
        self.log_reader.take().unwrap().join().unwrap();
        (status, self.log.lock().unwrap().clone())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything that a program prints until it ends. After the time-out, kills it, which is not a
/// success.
pub(crate) fn output(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > TIMEOUT {
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// The only line that a program prints before it ends with the status 1.
pub(crate) fn error_line(mut command: Command) -> String {
    let output = output(&mut command);
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(output.stdout.is_empty(), "{:?}", output.stdout);
    let line = log.strip_suffix('\n').unwrap_or_default();
    assert!(!line.is_empty() && !line.contains('\n'), "{log:?}");
    line.to_owned()
}

/// A temporary folder, and the path of the server's file in it.
pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("state.redb");
    (folder, data)
}
