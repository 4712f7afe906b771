//! TLS: the certificate is always verified, and may be asked for.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{super::super::super::LogErrorKind, *};

/// A CA, and what it has issued to a name: certificate and key.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new([]).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(parameters, key);
        Self { pem, issuer }
    }

    fn issue(&self, name: &str) -> [String; 2] {
        let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        [certificate.pem(), key.serialize_pem()]
    }
}

#[tokio::test]
async fn certificates_of_both_sides_are_verified() {
    let authority = Authority::new();
    let [certificate, key] = authority.issue("localhost");
    let files = [
        ("ca", &*authority.pem),
        ("server.crt", &certificate),
        ("server.key", &key),
    ];
    let Some(server) = Server::start_with(&["ssl=on", "ssl_ca_file=ca"], &files) else {
        return;
    };
    server.sql("postgres", "create role certified login superuser");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let root = file("root", &authority.pem);
    let port = server.port();
    let at = |role: &str, host: &str, rest: &str| {
        format!("postgres://{role}@{host}:{port}/postgres?sslmode=require&sslrootcert={rest}")
    };

    let log = open_at(&at("admin", "localhost", &root), options()).await;
    let log = log.unwrap_or_else(|error| panic!("{}", line(&error)));
    append(&log, [grant(1)]).await;
    let encrypted = "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) \
                     where application_name = 'tower-revocation'";
    assert_eq!(server.sql("postgres", encrypted), "t");

    let other = file("other", &Authority::new().pem);
    let empty = file("empty", "");
    for (url, wanted) in [
        (at("admin", "localhost", &other), "is not accepted"),
        (at("admin", "127.0.0.1", &root), "is not accepted"),
        (at("admin", "localhost", &empty), "no CA certificate"),
        (
            at("admin", "localhost", "/nowhere"),
            "/nowhere of `sslrootcert` cannot be read",
        ),
        (at("certified", "localhost", &root), "certificate"),
    ] {
        let error = open_at(&url, options()).await.err().unwrap();
        assert_eq!(
            error.kind(),
            LogErrorKind::Misconfigured,
            "{}",
            line(&error)
        );
        assert!(line(&error).contains(wanted), "{wanted}: {}", line(&error));
    }

    let [certificate, key] = authority.issue("certified");
    let [certificate, key] = [file("crt", &certificate), file("key", &key)];
    let own = format!("{root}&sslcert={certificate}&sslkey={key}");
    let log = open_at(&at("certified", "localhost", &own), options()).await;
    let log = log.unwrap_or_else(|error| panic!("{}", line(&error)));
    append(&log, [grant(2)]).await;
    let swapped = format!("{root}&sslcert={key}&sslkey={certificate}");
    let error = open_at(&at("certified", "localhost", &swapped), options()).await;
    assert!(line(&error.err().unwrap()).contains("PEM"));
}

#[tokio::test]
async fn handshake_that_fails_is_not_called_a_fault_of_a_certificate() {
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 8]).await.unwrap();
        stream
            .write_all(b"SHTTP/1.1 400 Bad Request")
            .await
            .unwrap();
        stream
    };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::write(&root, Authority::new().pem).unwrap();
    let url = format!(
        "postgres://me@localhost:{port}/db?sslmode=require&sslrootcert={}",
        root.display(),
    );
    let (_stream, opened) = tokio::join!(serve, open_at(&url, options()));
    let error = opened.err().unwrap();
    let line = line(&error);
    assert_eq!(error.kind(), LogErrorKind::Misconfigured, "{line}");
    assert!(
        line.contains(&format!("TLS with localhost:{port} fails")),
        "{line}"
    );
    assert!(line.contains("check its `ssl` settings"), "{line}");
}
