//! A server on this machine with the JWKS of an issuer, over HTTPS.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use http_body_util::Full;
use hyper::{Response, StatusCode, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};
use tower_revocation::{
    jose::{Keys, RemoteKeys, RemoteKeysBuilder},
    outbound::Resolve,
};

const HOST: &str = "as.example.com";

pub(crate) struct Server {
    seen: Arc<Seen>,
    port: u16,
    ca: String,
}

#[derive(Default)]
struct Seen {
    /// `None` is answered with 500.
    serves: Mutex<Option<Value>>,
    fetches: AtomicUsize,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let acceptor = acceptor(&ca);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Seen>::default();
        let serving = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, seen) = (acceptor.clone(), Arc::clone(&serving));
                tokio::spawn(async move {
                    let stream = TokioIo::new(acceptor.accept(stream).await?);
                    let service = service_fn(async |_| Ok::<_, io::Error>(seen.respond()));
                    let served = http1::Builder::new().serve_connection(stream, service);
                    served.await.map_err(io::Error::other)
                });
            }
        });
        let ca = ca.pem();
        Self { seen, port, ca }
    }

    /// Serves this set from now on, or an error.
    pub(crate) fn serves(&self, jwks: Option<Value>) {
        *self.seen.serves.lock().unwrap() = jwks;
    }

    pub(crate) fn fetches(&self) -> usize {
        self.seen.fetches.load(Ordering::SeqCst)
    }

    pub(crate) fn keys(&self) -> Keys {
        Keys::from_uri(&format!("https://{HOST}:{}/jwks.json", self.port)).unwrap()
    }

    /// Keys that trust this server and resolve its name.
    pub(crate) fn remote(&self) -> RemoteKeys {
        self.remote_builder().build()
    }

    pub(crate) fn remote_builder(&self) -> RemoteKeysBuilder {
        RemoteKeys::builder()
            .trusted_ca(self.ca.as_bytes())
            .unwrap()
            .resolver(Loopback)
    }
}

impl Seen {
    fn respond(&self) -> Response<Full<Bytes>> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let serves = self.serves.lock().unwrap();
        let body = serves.as_ref().map(ToString::to_string);
        let mut response = Response::new(Full::from(body.clone().unwrap_or_default()));
        if body.is_none() {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        response
    }
}

fn acceptor(ca: &CertifiedIssuer<'_, KeyPair>) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([HOST.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, ca).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    Arc::new(config).into()
}

struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        async { Ok(vec![Ipv4Addr::LOCALHOST.into()]) }.boxed()
    }
}
