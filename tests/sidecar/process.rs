//! Starts the sidecar, and ends it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long a test waits before it fails. Nothing takes that long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// The pause between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(5);

/// A sidecar that runs. Dropping it kills it.
pub(crate) struct Sidecar {
    child: Child,
    log: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// The program, without the settings in the environment of the tests.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revocation-sidecar"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let is_setting = name.starts_with("SIDECAR_") || name.starts_with("TOWER_REVOCATION_");
        if is_setting || name == "NOTIFY_SOCKET" || name == "RUNTIME_DIRECTORY" {
            command.env_remove(name);
        }
    }
    // The tests may run as root.
    command.env("SIDECAR_RUN__ALLOW_ROOT", "true");
    command.env("NO_COLOR", "1");
    command
}

impl Sidecar {
    /// Starts it with this configuration, and waits until it is ready.
    pub(crate) fn start(config: &str) -> Self {
        let sidecar = Self::begin(config);
        sidecar.wait_for("run: ready");
        sidecar
    }

    /// Starts it, and does not wait.
    pub(crate) fn begin(config: &str) -> Self {
        let mut command = program();
        command.arg("--config").arg(config);
        Self::run(command)
    }

    pub(crate) fn run(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("cargo builds the program");
        let log = Arc::<Mutex<String>>::default();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let read = |stream: Box<dyn std::io::Read + Send>| {
            let log = log.clone();
            thread::spawn(move || {
                // Reads everything, or the program would block.
                for line in BufReader::new(stream).lines() {
                    let mut log = log.lock().unwrap();
                    *log += &line.unwrap();
                    log.push('\n');
                }
            })
        };
        let readers = vec![read(Box::new(out)), read(Box::new(err))];
        Self {
            child,
            log,
            readers,
        }
    }

    /// Everything that it has printed.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Returns when the log contains this text.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_for_times(text, 1);
    }

    /// Returns when the log contains this text so many times.
    pub(crate) fn wait_for_times(&self, text: &str, times: usize) {
        let begun = Instant::now();
        while self.log().matches(text).count() < times {
            let log = self.log();
            assert!(begun.elapsed() < TIMEOUT, "no {text:?}: {log}");
            thread::sleep(PAUSE);
        }
    }

    /// The base URL of a listener, such as `gateway.listen`.
    pub(crate) fn url(&self, listener: &str) -> String {
        let mark = format!("listener=\"{listener}\" address=");
        self.wait_for(&mark);
        let log = self.log();
        let rest = log.split(&mark).nth(1).unwrap();
        let address = rest.split_whitespace().next().unwrap();
        format!("http://{address}")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status();
        assert!(status.unwrap().success());
    }

    /// `kill -9`. Returns once the process has ended.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.wait();
    }

    /// SIGTERM. Returns the log of a process that ends with 0.
    pub(crate) fn end(self) -> String {
        self.signal("TERM");
        self.end_after_signal()
    }

    /// Returns the log of a process that ends with 0 by itself.
    pub(crate) fn end_after_signal(mut self) -> String {
        let (status, log) = self.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }

    /// Waits until it ends.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < TIMEOUT, "it does not end: {}", self.log());
            thread::sleep(PAUSE);
        };
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        (status, self.log())
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything that a command prints until it ends. After the time-out it is killed.
pub(crate) fn output(command: &mut Command, input: &str) -> Output {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads nothing may have ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > TIMEOUT {
            child.kill().unwrap();
        }
        thread::sleep(PAUSE);
    }
    child.wait_with_output().unwrap()
}

/// The only line of a program that ends with this code.
pub(crate) fn refused(command: &mut Command, code: i32) -> String {
    let output = output(command, "");
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{line}");
    assert!(output.stdout.is_empty(), "{:?}", output.stdout);
    let line = line.strip_suffix('\n').unwrap_or_default();
    assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
    let line = line.strip_prefix("revocation-sidecar: ");
    line.expect("the name of the program").to_owned()
}

/// Writes a file, and moves it into its place.
pub(crate) fn write(path: &str, text: &str) {
    let draft = format!("{path}.draft");
    std::fs::write(&draft, text).unwrap();
    std::fs::rename(draft, path).unwrap();
}
