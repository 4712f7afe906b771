//! A proxy of others as a process.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{net::TcpStream, time::sleep};

use crate::{client::send, port::free_port};

/// Where a proxy finds the others.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) api: u16,
    pub(crate) verify: u16,
}

/// A proxy that runs. Dropping it kills it.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    process: Child,
    folder: TempDir,
}

impl Proxy {
    /// Starts a program with these files, and waits until it listens. The folder of the files is its
    /// working folder.
    pub(crate) async fn start(
        program: &Path,
        ports: Ports,
        files: &[(&str, String)],
        command: impl FnOnce(&mut Command, &Path),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        for (name, text) in files {
            let text = with_ports(text, port, ports);
            fs::write(folder.path().join(name), text).unwrap();
        }
        // The process ends with this one.
        let mut started = Command::new("setpriv");
        started.args(["--pdeathsig", "KILL"]).arg(program);
        command(&mut started, folder.path());
        started
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(fs::File::create(folder.path().join("output")).unwrap())
            .stderr(fs::File::create(folder.path().join("log")).unwrap());
        let mut proxy = Self {
            port,
            process: started.spawn().unwrap(),
            folder,
        };
        proxy.wait().await;
        proxy
    }

    async fn wait(&mut self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            let status = self.process.try_wait().unwrap();
            let waits = status.is_none() && begun.elapsed() < Duration::from_secs(60);
            assert!(
                waits,
                "the proxy does not listen: {status:?}, {}",
                self.log()
            );
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a request without a token gets a response that is not this one.
    pub(crate) async fn wait_for_another_status(&self, status: u16) {
        let begun = Instant::now();
        while send(self.port, "GET /", &[]).await.status == status {
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", self.log());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Its working folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has written to its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A file of `examples/proxies`.
pub(crate) fn recipe(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/proxies");
    fs::read_to_string(folder.join(file)).unwrap()
}

/// Only the ports change.
fn with_ports(text: &str, proxy: u16, ports: Ports) -> String {
    // Marks first: a port that is put in may look like one that is replaced next.
    let ports = [("8080", proxy), ("3000", ports.api), ("9001", ports.verify)];
    let mut text = text.to_owned();
    for (at, (port, _)) in ports.iter().enumerate() {
        for before in [":", "port_value: "] {
            text = text.replace(
                &format!("{before}{port}"),
                &format!("{before}\u{1}{at}\u{2}"),
            );
        }
    }
    for (at, (_, port)) in ports.iter().enumerate() {
        text = text.replace(&format!("\u{1}{at}\u{2}"), &port.to_string());
    }
    text
}

/// The first of these programs. Without one the test is skipped. With `CI=true` that is a failure.
pub(crate) fn find(paths: &[PathBuf], missing: &str) -> Option<PathBuf> {
    let found = paths.iter().find(|path| path.exists()).cloned();
    if found.is_none() {
        assert!(env::var("CI").as_deref() != Ok("true"), "{missing}");
        println!("skipped: {missing}");
    }
    found
}

/// The programs of a Debian package.
pub(crate) fn debian(program: &str) -> Vec<PathBuf> {
    let folders = ["/usr/sbin", "/usr/bin"];
    folders.map(|folder| Path::new(folder).join(program)).into()
}

/// A program that `tests/verify/install` installs.
pub(crate) fn installed(program: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/proxies");
    vec![folder.join(program)]
}
