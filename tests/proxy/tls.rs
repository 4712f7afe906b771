//! TLS from clients and to the API.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    },
};
use tower::service_fn;
use tower_revocation::proxy::{
    ErrorKind, Upstream,
    server::{Server, ServerTls},
};

use crate::{
    fixture::{Gateway, ask, echo, get, serve, soon},
    versions,
};

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

fn tls(made: &CertifiedKey<KeyPair>) -> ServerTls {
    let (chain, key) = pem(made);
    ServerTls::from_pem(chain.as_bytes(), key.as_bytes()).unwrap()
}

fn pem(made: &CertifiedKey<KeyPair>) -> (String, String) {
    (made.cert.pem(), made.signing_key.serialize_pem())
}

fn client_config(trusted: &[&CertifiedKey<KeyPair>], alpn: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for made in trusted {
        roots.add(made.cert.der().clone()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    Arc::new(config)
}

async fn connect(gateway: &Gateway, config: Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    let connected = TlsConnector::from(config).connect(name, gateway.connect().await);
    soon(connected).await.unwrap()
}

fn presented(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    let certificates = stream.get_ref().1.peer_certificates().unwrap();
    certificates[0].clone().into_owned()
}

fn request(uri: &str) -> Request<Full<Bytes>> {
    let request = Request::get(uri)
        .header("host", "localhost")
        .header("authorization", "Bearer alice");
    request.body(Full::default()).unwrap()
}

#[tokio::test]
async fn both_versions_are_served_over_tls() {
    let api = serve(echo).await;
    let made = certificate();
    let upstream = Upstream::new(&format!("http://{api}")).unwrap();
    let gateway = Gateway::with(upstream, Server::new().tls(tls(&made))).await;
    for alpn in [&b"h2"[..], b"http/1.1"] {
        let stream = connect(&gateway, client_config(&[&made], alpn)).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(alpn));
        let io = TokioIo::new(stream);
        let response = if alpn == b"h2" {
            let (mut sender, connection) =
                http2::handshake(TokioExecutor::new(), io).await.unwrap();
            tokio::spawn(connection);
            soon(sender.send_request(request("https://localhost/a"))).await
        } else {
            let (mut sender, connection) = http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            soon(sender.send_request(request("/a"))).await
        };
        let response = response.unwrap();
        assert_eq!(response.status(), 200);
        let body = soon(response.into_body().collect()).await.unwrap();
        let body = String::from_utf8(body.to_bytes().to_vec()).unwrap();
        assert!(body.contains("\nx-forwarded-proto: https\n"), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificate_is_replaced_under_load_without_a_lost_connection() {
    let api = serve(echo).await;
    let (old, new) = (certificate(), certificate());
    let tls = tls(&old);
    let upstream = Upstream::new(&format!("http://{api}")).unwrap();
    let server = Server::new().tls(tls.clone());
    let gateway = Arc::new(Gateway::with(upstream, server).await);
    let config = client_config(&[&old, &new], b"http/1.1");

    // One connection stays open all the time.
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(connect(&gateway, config.clone()).await))
            .await
            .unwrap();
    tokio::spawn(connection);

    let stop = Arc::new(AtomicBool::new(false));
    let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (gateway, config) = (gateway.clone(), config.clone());
            let (stop, counts) = (stop.clone(), counts.clone());
            let new = new.cert.der().clone();
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let stream = connect(&gateway, config.clone()).await;
                    let is_new = presented(&stream) == new;
                    let (mut sender, connection) =
                        http1::handshake(TokioIo::new(stream)).await.unwrap();
                    tokio::spawn(connection);
                    let response = soon(sender.send_request(request("/a"))).await.unwrap();
                    assert_eq!(response.status(), 200);
                    soon(response.into_body().collect()).await.unwrap();
                    counts[usize::from(is_new)].fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let until = async |which: usize| {
        while counts[which].load(Ordering::SeqCst) < 20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(until(0)).await;
    let (chain, key) = pem(&new);
    // What does not belong together changes nothing.
    let error = tls
        .replace(pem(&old).0.as_bytes(), key.as_bytes())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(tls.replace(b"", key.as_bytes()).is_err());
    assert!(tls.replace(chain.as_bytes(), b"").is_err());
    assert_eq!(counts[1].load(Ordering::SeqCst), 0);
    tls.replace(chain.as_bytes(), key.as_bytes()).unwrap();
    soon(until(1)).await;
    let response = soon(sender.send_request(request("/a"))).await.unwrap();
    assert_eq!(response.status(), 200);
    stop.store(true, Ordering::SeqCst);
    for task in load {
        task.await.unwrap();
    }
    let stream = connect(&gateway, config).await;
    assert_eq!(&presented(&stream), new.cert.der());
}

#[tokio::test]
async fn api_with_tls_must_have_a_trusted_certificate() {
    let made = certificate();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let service = service_fn(async |request| Ok(echo(request).await));
    let server = Server::new().tls(tls(&made));
    tokio::spawn(server.serve(listener, service, std::future::pending()));

    let trusting = |made: &CertifiedKey<KeyPair>| {
        let upstream = Upstream::new(&url).unwrap();
        upstream.trusted_ca(made.cert.pem().as_bytes()).unwrap()
    };
    let gateway = Gateway::with(trusting(&made), Server::new()).await;
    for client in [versions::http1(), versions::http2()] {
        let response = ask(&client, get(gateway.url("/a"))).await;
        assert_eq!(response.status(), 200);
        // The API offers HTTP/2.
        let line = response.body().lines().next().unwrap().to_owned();
        assert!(line.ends_with(" HTTP/2.0"), "{line}");
        let accepts = accepting_trailers(&gateway);
        let body = ask(&client, accepts).await.into_body();
        assert!(body.contains("\nte: trailers\n"), "{body}");
        assert!(!body.contains("\nconnection: "), "{body}");
    }
    let gateway = Gateway::with(trusting(&certificate()), Server::new()).await;
    let response = ask(&versions::http1(), get(gateway.url("/a"))).await;
    assert_eq!((response.status().as_u16(), &**response.body()), (502, ""));

    assert!(Upstream::new(&url).unwrap().trusted_ca(b"no PEM").is_err());
}

fn accepting_trailers(gateway: &Gateway) -> Request<Full<Bytes>> {
    let mut request = get(gateway.url("/a"));
    let te = "trailers".parse().unwrap();
    request.headers_mut().insert("te", te);
    request
}

/// RFC 9110 §10.1.4.
#[tokio::test]
async fn api_with_tls_and_without_http2_gets_te_with_its_connection_option() {
    let made = certificate();
    let config = server_config(&made);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(config);
        while let Ok((stream, _)) = listener.accept().await {
            let stream = acceptor.accept(stream).await.unwrap();
            let service = hyper::service::service_fn(async |request| {
                Ok::<_, Infallible>(echo(request).await)
            });
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    let upstream = Upstream::new(&format!("https://localhost:{port}")).unwrap();
    let upstream = upstream.trusted_ca(made.cert.pem().as_bytes()).unwrap();
    let gateway = Gateway::with(upstream, Server::new()).await;
    for client in [versions::http1(), versions::http2()] {
        for _ in 0..2 {
            let body = ask(&client, accepting_trailers(&gateway)).await.into_body();
            assert!(body.contains("HTTP/1.1\n"), "{body}");
            assert!(body.contains("\nte: trailers\n"), "{body}");
            assert!(body.contains("\nconnection: te\n"), "{body}");
        }
    }
}

fn server_config(made: &CertifiedKey<KeyPair>) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key);
    Arc::new(config.unwrap())
}
