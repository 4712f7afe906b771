//! A server that runs: one process, or two that work together.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::cpu;

/// Dropping it kills its processes.
pub(crate) struct Server {
    processes: Vec<Child>,
    pub(crate) address: SocketAddr,
    folder: TempDir,
}

impl Server {
    /// No process yet, and a free port.
    pub(crate) fn new() -> Self {
        Self {
            processes: Vec::new(),
            address: free_address(),
            folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder"),
        }
    }

    /// Starts a process in the folder of this server, on the first CPU.
    pub(crate) fn start(&mut self, program: &Path, arguments: &[&str]) {
        let log = fs::File::options()
            .append(true)
            .create(true)
            .open(self.path("log"))
            .expect("a file");
        // The process ends with this one.
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let process = process.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        self.processes.push(process);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a folder of our own");
    }

    /// What its processes have logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The CPU time of its processes.
    pub(crate) fn cpu_time(&self) -> Duration {
        let time =
            |process: &Child| cpu::time(process.id()).expect("Linux, and a process that runs");
        self.processes.iter().map(time).sum()
    }

    /// The memory of its processes that is in RAM, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.processes.iter().map(resident).sum()
    }
}

fn resident(process: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: u64 = number.and_then(|it| it.parse().ok()).expect("a size in kB");
    kibibytes << 10
}

impl Drop for Server {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound")
}
