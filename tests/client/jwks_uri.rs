//! Keys from a `jwks_uri`, at the endpoint. The tests of `jose` cover how they are fetched.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use http_body_util::Full;
use hyper::{Response, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use jsonwebtoken::Algorithm;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};
use tower_revocation::{
    client::{
        Refusal,
        assertion::Assertions,
        registry::{ClientAuthenticator, Registry},
    },
    jose::RemoteKeys,
    outbound::Resolve,
};

use crate::{
    fixture::{ISSUER, Key, PK, PKR, by, claims, header, pk, registry, with},
    port::free_port,
};

pub(crate) struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        async { Ok(vec![Ipv4Addr::LOCALHOST.into()]) }.boxed()
    }
}

/// A server that serves a key set over HTTPS, and counts the requests.
pub(crate) async fn serve(jwks: Value) -> (RemoteKeys, String, Arc<AtomicUsize>) {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["keys.example".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::<AtomicUsize>::default();
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, count, jwks) = (acceptor.clone(), count.clone(), jwks.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let service = service_fn(move |_| {
                    count.fetch_add(1, Ordering::SeqCst);
                    let body = Full::<Bytes>::from(jwks.to_string());
                    async { Ok::<_, std::convert::Infallible>(Response::new(body)) }
                });
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    let remote = RemoteKeys::builder()
        .trusted_ca(authority.pem().as_bytes())
        .unwrap()
        .resolver(Loopback)
        .allow_private_addresses(true)
        .build();
    (remote, format!("https://keys.example:{port}/jwks"), asked)
}

fn client(uri: &str) -> Registry {
    registry(&json!({
        "client_id": "pk-client",
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks_uri": uri,
    }))
}

fn authenticator(uri: &str, remote: RemoteKeys) -> ClientAuthenticator<Registry> {
    ClientAuthenticator::new(client(uri))
        .assertions(Assertions::new(ISSUER))
        .remote_keys(remote)
}

#[tokio::test]
async fn client_can_publish_its_keys() {
    let (remote, uri, asked) = serve(PK.jwks(&json!({ "kid": "k1" }))).await;
    let authenticator = authenticator(&uri, remote);
    for _ in 0..3 {
        assert_eq!(by(&authenticator, &pk(&json!({}))).await.status, 200);
    }
    let forged = Key::ec().sign(Algorithm::ES256, &header(), &claims("pk-client"));
    assert_eq!(
        by(&authenticator, &forged).await.refusal(),
        Some(Refusal::BadSignature)
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn random_kids_do_not_cause_fetches() {
    let (remote, uri, asked) = serve(PK.jwks(&json!({ "kid": "k1" }))).await;
    let authenticator = authenticator(&uri, remote);
    for n in 0..100 {
        let header = with(header(), &json!({ "kid": format!("made-up-{n}") }));
        let assertion = PK.sign(Algorithm::ES256, &header, &claims("pk-client"));
        let response = by(&authenticator, &assertion).await;
        assert_eq!(response.refusal(), Some(Refusal::NoSuchKey));
    }
    assert!(asked.load(Ordering::SeqCst) <= 2);
    assert_eq!(by(&authenticator, &pk(&json!({}))).await.status, 200);
}

#[tokio::test]
async fn unregistered_algorithm_fetches_nothing() {
    let (remote, uri, asked) = serve(PK.jwks(&json!({ "kid": "k1" }))).await;
    let authenticator = authenticator(&uri, remote);
    let header = with(header(), &json!({ "alg": "RS256" }));
    let assertion = PKR.sign(Algorithm::RS256, &header, &claims("pk-client"));
    let response = by(&authenticator, &assertion).await;
    assert_eq!(response.refusal(), Some(Refusal::AlgorithmNotAllowed));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn unavailable_keys_are_503_and_the_assertion_works_later() {
    let port = free_port();
    let down = RemoteKeys::builder()
        .timeout(Duration::from_secs(5))
        .resolver(Loopback)
        .allow_private_addresses(true)
        .build();
    let uri = format!("https://keys.example:{port}/jwks");
    let assertion = pk(&json!({}));
    let response = by(&authenticator(&uri, down), &assertion).await;
    assert_eq!(response.status, 503);
    assert!(response.headers.contains_key("retry-after"));
    assert!(!String::from_utf8_lossy(&response.body).contains("keys.example"));
    // The server belongs to the client, and anybody can name the client.
    assert!(!response.error.unwrap().is_alarm());
}

#[tokio::test]
async fn jwks_uri_on_this_machine_is_not_fetched() {
    for uri in [
        "https://127.0.0.1/jwks",
        "https://[::1]/jwks",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/jwks",
    ] {
        let authenticator = authenticator(uri, RemoteKeys::new());
        let response = by(&authenticator, &pk(&json!({}))).await;
        assert_eq!(response.refusal(), Some(Refusal::NoSuchKey), "{uri}");
    }
}

#[tokio::test]
async fn invalid_key_set_has_no_keys() {
    let many: Vec<_> = (0..10_000)
        .map(|n| PK.jwk(&json!({ "kid": n.to_string() })))
        .collect();
    for lies in [json!("<html>"), json!({ "keys": many })] {
        let (remote, uri, _) = serve(lies).await;
        let response = by(&authenticator(&uri, remote), &pk(&json!({}))).await;
        assert_eq!(response.refusal(), Some(Refusal::NoSuchKey));
    }
}
