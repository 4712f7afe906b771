//! Which hosts are connected to, and which certificates are trusted.

use std::{env, net::Ipv4Addr};

use tokio::process::Command;
use tower_revocation::jose::{RemoteErrorKind, RemoteKeys};

use super::{
    has, impatient,
    server::{Does, HOST, Names, Server, jwks, ok},
    told,
};

#[tokio::test]
async fn system_root_certificates_are_trusted() {
    if let Ok(uri) = env::var("TRUSTED_URI") {
        // This is the process that the test below starts.
        let keys = RemoteKeys::builder()
            .resolver(Names::local())
            .allow_private_addresses(true)
            .build();
        assert!(has(&keys.keys(&uri, None).await.unwrap(), "k1"));
        return;
    }
    let server = Server::start(Does::Respond(ok(jwks(["k1"])))).await;
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, server.ca()).unwrap();
    let ended = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "remote_keys::addresses::system_root_certificates_are_trusted",
        ])
        .env("TRUSTED_URI", server.uri())
        .env("SSL_CERT_FILE", &roots)
        .output()
        .await
        .unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn source_with_another_ca_is_refused() {
    let server = Server::start(Does::Respond(ok(jwks(["k1"])))).await;
    let other = Server::start(Does::HangUp).await;
    let system = RemoteKeys::builder()
        .resolver(Names::local())
        .allow_private_addresses(true)
        .build();
    system.keys(&server.uri(), None).await.unwrap_err();
    other.keys().keys(&server.uri(), None).await.unwrap_err();
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn source_with_another_name_is_refused() {
    let server = Server::start(Does::Respond(ok(jwks(["k1"])))).await;
    let uri = format!("https://other.example:{}/jwks.json", server.port());
    server.keys().keys(&uri, None).await.unwrap_err();
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn private_addresses_are_refused_before_connecting() {
    let server = Server::start(Does::Respond(ok(jwks(["k1"])))).await;
    let port = server.port();
    let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
    for address in [
        Ipv4Addr::LOCALHOST.into(),
        mapped.into(),
        Ipv4Addr::UNSPECIFIED.into(),
    ] {
        let names = Names::at([address]);
        let asked = names.asked();
        let keys = server
            .builder()
            .resolver(names)
            .allow_private_addresses(false)
            .build();
        let error = keys.keys(&server.uri(), None).await.unwrap_err();
        assert!(told(&error).contains("no public address"), "{error:?}");
        assert!(error.is_unusable());
        assert_eq!(*asked.lock().unwrap(), [HOST]);
    }
    // Names as the system resolves them, and IP addresses.
    let keys = RemoteKeys::builder()
        .trusted_ca(server.ca())
        .unwrap()
        .build();
    for host in [
        "localhost",
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "[::]",
    ] {
        let uri = format!("https://{host}:{port}/jwks.json");
        let error = keys.keys(&uri, None).await.unwrap_err();
        assert!(error.is_unusable(), "{host}");
        assert_eq!(error.kind(), RemoteErrorKind::Registration, "{host}");
    }
    assert_eq!(server.connections(), 0);

    // Nothing but the address was refused.
    assert!(server.keys().keys(&server.uri(), None).await.is_ok());
    let literal = format!("https://127.0.0.1:{port}/jwks.json");
    assert!(server.keys().keys(&literal, None).await.is_ok());
}

#[tokio::test]
async fn name_is_resolved_once_for_each_fetch() {
    let server = Server::start(Does::Respond(ok(jwks(["k1"])))).await;
    let names = Names::local();
    let asked = names.asked();
    let keys = impatient(server.builder().resolver(names)).build();
    for fetches in 1..=3 {
        keys.keys(&server.uri(), None).await.unwrap();
        // Each fetch resolves the name again and opens a connection.
        assert_eq!(
            (asked.lock().unwrap().len(), server.connections()),
            (fetches, fetches)
        );
    }
}

#[tokio::test]
async fn host_of_a_refused_uri_is_not_resolved() {
    let server = Server::start(Does::Respond(ok(jwks(["k1"])))).await;
    let names = Names::local();
    let asked = names.asked();
    let keys = server.builder().resolver(names).build();
    let port = server.port();
    for uri in [
        format!("http://{HOST}:{port}/"),
        format!("https://user:pass@{HOST}:{port}/"),
        format!("https://{HOST}:{port}/#k1"),
        format!("//{HOST}:{port}/"),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        let error = keys.keys(&uri, None).await.unwrap_err();
        assert!(!told(&error).contains("pass"), "{error:?}");
    }
    assert_eq!((asked.lock().unwrap().len(), server.connections()), (0, 0));
}

#[tokio::test]
async fn unreadable_ca_is_refused() {
    let server = Server::start(Does::HangUp).await;
    let ca = server.ca();
    let cut = &ca[..ca.len() / 2];
    let not_one = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in [b"".as_slice(), b"certificate", cut, not_one] {
        let error = RemoteKeys::builder().trusted_ca(pem).unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::Configuration);
        let told = error.to_string();
        assert!(told.starts_with("invalid configuration: "), "{told}");
        assert!(told.contains(" CA "), "{told}");
    }
}
