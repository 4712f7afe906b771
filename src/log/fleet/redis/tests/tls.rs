//! TLS: the certificate is always verified.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use super::{super::super::super::LogErrorKind, fixture::programs, *};

/// The certificate of a CA, and a certificate for `localhost` with its key.
fn certificates() -> [String; 3] {
    let mut parameters = CertificateParams::new([]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = parameters.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(parameters, key);
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
    // With the name of the CA, it would pass for a certificate that has signed itself.
    let name = &mut parameters.distinguished_name;
    name.push(DnType::CommonName, "localhost");
    let certificate = parameters.signed_by(&key, &issuer).unwrap();
    [root, certificate.pem(), key.serialize_pem()]
}

/// Whether the program can serve TLS.
fn has_tls(program: &Path) -> bool {
    let nothing = "/nowhere";
    let port = port::free_port().to_string();
    let mut tried = Command::new(program);
    tried.args(["--port", "0", "--tls-port", &port]);
    tried.args(["--tls-cert-file", nothing, "--tls-key-file", nothing]);
    let tried = tried.output().expect("it runs");
    String::from_utf8_lossy(&tried.stdout).contains("Failed to configure TLS")
}

/// The files of a server with TLS, and of those that trust it.
struct Files {
    folder: TempDir,
    root: String,
    certificate: String,
    key: String,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [root, certificate, key] = certificates();
        Self {
            root: file(&folder, "root", &root),
            certificate: file(&folder, "certificate", &certificate),
            key: file(&folder, "key", &key),
            folder,
        }
    }

    /// Starts each program that has TLS. Returns the port with TLS, too.
    fn servers(&self, settings: &[&str]) -> Vec<(Server, u16)> {
        let start = |program: PathBuf| {
            if !has_tls(&program) {
                println!("skipped: {} has no TLS", program.display());
                return None;
            }
            let port = port::free_port();
            let text = port.to_string();
            let own = [
                ["--tls-port", &text],
                ["--tls-cert-file", &self.certificate],
                ["--tls-key-file", &self.key],
                ["--tls-ca-cert-file", &self.root],
            ];
            let all: Vec<_> = own.as_flattened().iter().chain(settings).copied().collect();
            Some((Server::start(&program, &all), port))
        };
        programs().into_iter().filter_map(start).collect()
    }

    fn url(&self, port: u16) -> String {
        format!("rediss://localhost:{port}?sslrootcert={}", self.root)
    }
}

fn file(folder: &TempDir, name: &str, content: &str) -> String {
    let file = folder.path().join(name);
    std::fs::write(&file, content).unwrap();
    file.to_str().unwrap().to_owned()
}

async fn refused(url: &str) -> (LogErrorKind, String) {
    let error = try_open(url, hasty()).await.err().expect("it is refused");
    (error.kind(), line(&error))
}

#[tokio::test]
async fn certificate_of_the_server_is_verified() {
    let files = Files::new();
    let other = file(&files.folder, "other", &certificates()[0]);
    for (_server, port) in files.servers(&["--tls-auth-clients", "no"]) {
        let log = open_at(&files.url(port), options()).await;
        append(&log, [grant(1)]).await;
        let at = |host: &str, root: &str| format!("rediss://{host}:{port}?sslrootcert={root}");
        for (url, wanted) in [
            (at("localhost", &other), "is not accepted"),
            (at("127.0.0.1", &files.root), "is not accepted"),
            (at("localhost", "/nowhere"), "/nowhere"),
        ] {
            let (kind, line) = refused(&url).await;
            assert_eq!(kind, LogErrorKind::Misconfigured, "{line}");
            assert!(line.contains(wanted), "{wanted}: {line}");
        }
    }
}

#[tokio::test]
async fn certificate_of_the_client_is_asked_for() {
    let files = Files::new();
    for (_server, port) in files.servers(&[]) {
        let (_, line) = refused(&files.url(port)).await;
        assert!(line.contains("`sslcert` and `sslkey`"), "{line}");
        assert!(line.contains("`tls-auth-clients no`"), "{line}");
        let own = format!("&sslcert={}&sslkey={}", files.certificate, files.key);
        let log = open_at(&(files.url(port) + &own), options()).await;
        append(&log, [grant(1)]).await;
    }
}

#[tokio::test]
async fn port_with_or_without_tls_is_told_apart() {
    let files = Files::new();
    for (server, port) in files.servers(&["--tls-auth-clients", "no"]) {
        // Redis 7.0 does not reply to the first message of a handshake.
        let (_, line) = refused(&files.url(server.port)).await;
        assert!(line.contains("`tls-port`"), "{line}");
        let sentinels = format!(
            "redis+sentinel://localhost:{}/main?replicas=1&tls=on",
            server.port
        );
        let (_, line) = refused(&format!("{sentinels}&sslrootcert={}", files.root)).await;
        assert!(line.contains("`tls-port`"), "{line}");
        let (kind, line) = refused(&format!("redis://localhost:{port}")).await;
        assert_eq!(kind, LogErrorKind::Unavailable, "{line}");
        assert!(line.contains("write `rediss://`"), "{line}");
    }
}
