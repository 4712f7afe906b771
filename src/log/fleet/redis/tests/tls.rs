//! TLS: the certificate is always verified.

use std::{path::Path, process::Command};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::{super::super::super::LogErrorKind, fixture::programs, *};

/// The certificate of a CA, and a certificate for `localhost` with its key.
fn certificates() -> [String; 3] {
    let mut parameters = CertificateParams::new([]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = parameters.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(parameters, key);
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
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

#[tokio::test]
async fn certificate_of_the_server_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let [root, certificate, key] = certificates();
    let files = [("root", root), ("certificate", certificate), ("key", key)];
    let [root, certificate, key] = files.map(|(name, content)| file(name, &content));
    let other = file("other", &certificates()[0]);
    for program in programs() {
        let port = port::free_port();
        let text = port.to_string();
        let settings = [
            "--tls-port",
            &text,
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &root,
            "--tls-auth-clients",
            "no",
        ];
        if !has_tls(&program) {
            println!("skipped: {} has no TLS", program.display());
            continue;
        }
        let _server = Server::start(&program, &settings);
        let at = |host: &str, port: u16, root: &str| {
            format!("rediss://{host}:{port}?sslrootcert={root}")
        };
        let log = open_at(&at("localhost", port, &root), options()).await;
        append(&log, [grant(1)]).await;
        for (url, wanted) in [
            (at("localhost", port, &other), "is not accepted"),
            (at("127.0.0.1", port, &root), "is not accepted"),
            (at("localhost", port, "/nowhere"), "/nowhere"),
        ] {
            let error = try_open(&url, hasty()).await.err().unwrap();
            let line = line(&error);
            assert_eq!(error.kind(), LogErrorKind::Misconfigured, "{line}");
            assert!(line.contains(wanted), "{wanted}: {line}");
        }
    }
}
