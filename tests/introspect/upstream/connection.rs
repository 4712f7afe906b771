//! Connections that are reused, closed, stalled or broken.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::{join, join_all};
use http_body_util::Full;
use hyper::Response;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};
use tower::{ServiceExt as _, limit::ConcurrencyLimit};
use tower_revocation::introspect::upstream::{Upstream, UpstreamErrorKind};

use crate::{
    port::free_port,
    upstream::{
        active, ask,
        server::{Does, Server, json as respond},
    },
};

/// The shortest response about an active token.
fn minimal() -> Response<Full<Bytes>> {
    respond(active(json!({})).to_string())
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = Server::json(active(json!({}))).await;
    let upstream = server.uncached();
    for token in 0..10 {
        ask(&upstream, &token.to_string()).await.unwrap();
    }
    assert_eq!(server.asked(), 10);
    // A request may start before the previous connection is back in the pool.
    assert!(server.connections() < 5, "{}", server.connections());
}

#[tokio::test]
async fn concurrency_limit_of_tower_limits_the_requests() {
    let server = Server::json(active(json!({}))).await;
    server.hold();
    let limited = ConcurrencyLimit::new(server.uncached(), 2);
    let tokens = (0..100).map(|token| limited.clone().oneshot(token.to_string().into()));
    let release = async {
        server.has_been_asked(2).await;
        server.permit(100);
    };
    for outcome in join(join_all(tokens), release).await.0 {
        assert!(outcome.unwrap().token().is_some());
    }
    assert_eq!((server.asked(), server.most_at_once()), (100, 2));
}

#[tokio::test]
async fn request_on_a_closed_connection_is_sent_again() {
    let server = Server::start(Does::RespondOnce(minimal())).await;
    let upstream = server.uncached();
    for _ in 0..10 {
        assert!(ask(&upstream, "t").await.unwrap().is_some());
    }
    // Some requests were sent twice: on an old connection that was closed, and on a new one.
    assert!(server.asked() > 10, "{}", server.asked());
}

#[tokio::test]
async fn request_is_sent_at_most_twice() {
    let server = Server::start(Does::Write(Vec::new())).await;
    let error = ask(&server.uncached(), "t").await.unwrap_err();
    assert_eq!(error.kind(), UpstreamErrorKind::Unreachable);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn response_that_is_cut_off_is_an_error_and_not_requested_again() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n";
    // The body is complete JSON, but shorter than its content-length.
    let cut = format!(r#"{head}{{"active":false}}"#);
    let server = Server::start(Does::Write(cut.into_bytes())).await;
    let error = ask(&server.uncached(), "t").await.unwrap_err();
    assert_eq!(error.kind(), UpstreamErrorKind::Unreachable);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn response_that_is_not_http_is_an_error() {
    for bytes in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "{\"active\":false}",
        "HTTP/1.1 abc\r\n\r\n",
    ] {
        let server = Server::start(Does::Write(bytes.into())).await;
        let error = ask(&server.uncached(), "t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Unreachable, "{bytes}");
    }
}

#[tokio::test]
async fn stalled_server_causes_a_time_out() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n";
    for does in [Does::Stall, Does::WriteAndStall(head.into())] {
        let server = Server::start(does).await;
        let builder = server.uncached_builder();
        let impatient = builder.clone().timeout(Duration::from_millis(50));
        let upstream = impatient.build().unwrap();
        let error = ask(&upstream, "t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::TimedOut);
        server.says(&active(json!({})));
        let patient = builder.timeout(Duration::from_secs(60));
        let upstream = patient.build().unwrap();
        assert!(ask(&upstream, "t").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn stopped_server_is_an_error_until_it_is_back() {
    let server = Server::json(active(json!({}))).await;
    let upstream = server.uncached();
    assert!(ask(&upstream, "t").await.unwrap().is_some());

    let address = server.stop().await;
    for _ in 0..2 {
        let error = ask(&upstream, "t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Unreachable);
    }
    let does = Does::Respond(respond(active(json!({ "sub": "alice" })).to_string()));
    let _server = Server::on(address, None, does).await;
    let token = ask(&upstream, "t").await.unwrap().unwrap();
    assert_eq!(token.sub.as_deref(), Some("alice"));
}

/// A TLS acceptor for `localhost`, and the CA of its certificate.
fn certified() -> (TlsAcceptor, String) {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &ca)
        .unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (Arc::new(config).into(), ca.pem())
}

#[tokio::test]
async fn tls_accepts_only_certificates_of_a_trusted_ca() {
    let ((acceptor, ca), (_, another)) = (certified(), certified());
    let does = Does::Respond(minimal());
    let server = Server::tls(acceptor, does).await;
    let port = server.address().port();
    let by_name = format!("https://localhost:{port}/introspect");

    let by_name = Upstream::builder(by_name);
    let trusting = by_name.clone().trusted_ca(ca.as_bytes());
    let trusted = trusting.clone().build().unwrap();
    assert!(ask(&trusted, "t").await.unwrap().is_some());
    assert_eq!(server.asked(), 1);

    let by_address = Upstream::builder(format!("https://127.0.0.1:{port}/"));
    let plain_http = Upstream::builder(format!("http://localhost:{port}/"));
    for untrusted in [
        by_name.trusted_ca(another.as_bytes()),
        by_address.trusted_ca(ca.as_bytes()),
        plain_http,
    ] {
        let error = ask(&untrusted.build().unwrap(), "t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Unreachable);
    }
    assert_eq!(server.asked(), 1);

    for no_ca in [
        &b""[..],
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let error = trusting.clone().trusted_ca(no_ca).build().unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Configuration);
    }
}

#[tokio::test]
async fn closed_port_is_an_error() {
    let uri = format!("http://127.0.0.1:{}/", free_port());
    let upstream = Upstream::builder(uri).build().unwrap();
    let error = ask(&upstream, "t").await.unwrap_err();
    assert_eq!(error.kind(), UpstreamErrorKind::Unreachable);
}
