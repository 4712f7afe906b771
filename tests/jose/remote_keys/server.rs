//! A server of keys on this machine. A test chooses what it does.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use http_body_util::Full;
use hyper::{
    HeaderMap, Request, Response, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};
use tower_revocation::{
    jose::{RemoteKeys, RemoteKeysBuilder},
    outbound::Resolve,
};

pub(crate) const HOST: &str = "keys.example";

/// What the server does with a connection.
#[derive(Clone)]
pub(crate) enum Does {
    /// Responds as a server should.
    Respond(Response<Full<Bytes>>),
    /// Writes these bytes in response to a request, and closes.
    Write(Vec<u8>),
    /// Writes these bytes in response to a request, and nothing more.
    WriteAndStall(Vec<u8>),
    /// Writes these bytes in response to a request, and then one byte at a time without end.
    WriteAndDrip(Vec<u8>),
    /// Sends nothing, not even a TLS record.
    StallBeforeTls,
    /// Closes the connection at once.
    HangUp,
}

pub(crate) struct Server {
    seen: Arc<Seen>,
    port: u16,
    ca: String,
}

struct Seen {
    does: Mutex<Does>,
    connections: AtomicUsize,
    requests: Mutex<Vec<HeaderMap>>,
}

impl Server {
    pub(crate) async fn start(does: Does) -> Self {
        let (acceptor, ca) = certified();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen {
            does: Mutex::new(does),
            connections: AtomicUsize::new(0),
            requests: Mutex::default(),
        });
        let serving = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(Arc::clone(&serving), acceptor.clone(), stream));
            }
        });
        Self { seen, port, ca }
    }

    pub(crate) fn uri(&self) -> String {
        format!("https://{HOST}:{}/jwks.json", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn ca(&self) -> &[u8] {
        self.ca.as_bytes()
    }

    pub(crate) fn does(&self, does: Does) {
        *self.seen.does.lock().unwrap() = does;
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The heads of the requests.
    pub(crate) fn requests(&self) -> Vec<HeaderMap> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// Keys that trust this server, resolve its name and may connect to it.
    pub(crate) fn keys(&self) -> RemoteKeys {
        self.builder().build()
    }

    pub(crate) fn builder(&self) -> RemoteKeysBuilder {
        RemoteKeys::builder()
            .trusted_ca(self.ca())
            .unwrap()
            .resolver(Names::local())
            .allow_private_addresses(true)
    }
}

/// A TLS configuration for `keys.example`, and its CA in PEM.
fn certified() -> (TlsAcceptor, String) {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();

    let key = KeyPair::generate().unwrap();
    let names = [
        HOST.to_owned(),
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
    ];
    let certificate = CertificateParams::new(names)
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

/// Serves one connection. The client closes many of them, so errors are expected.
async fn serve(seen: Arc<Seen>, acceptor: TlsAcceptor, stream: TcpStream) -> io::Result<()> {
    let does = seen.does.lock().unwrap().clone();
    let (bytes, then) = match does {
        Does::HangUp => return Ok(()),
        Does::StallBeforeTls => return stall(stream).await,
        Does::Respond(response) => {
            let response = service_fn(|request: Request<Incoming>| {
                seen.requests
                    .lock()
                    .unwrap()
                    .push(request.headers().clone());
                std::future::ready(Ok::<_, io::Error>(response.clone()))
            });
            let stream = TokioIo::new(acceptor.accept(stream).await?);
            let served = http1::Builder::new().serve_connection(stream, response);
            return served.await.map_err(io::Error::other);
        }
        Does::Write(bytes) => (bytes, Then::Close),
        Does::WriteAndStall(bytes) => (bytes, Then::Stall),
        Does::WriteAndDrip(bytes) => (bytes, Then::Drip),
    };

    let mut stream = acceptor.accept(stream).await?;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    match then {
        Then::Close => stream.shutdown().await,
        Then::Stall => stall(stream).await,
        Then::Drip => loop {
            stream.write_all(b" ").await?;
            stream.flush().await?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        },
    }
}

enum Then {
    Close,
    Stall,
    Drip,
}

/// Waits until the client closes the connection.
async fn stall(mut stream: impl tokio::io::AsyncRead + Unpin) -> io::Result<()> {
    let mut discarded = [0; 1024];
    while stream.read(&mut discarded).await? > 0 {}
    Ok(())
}

/// Resolves every name to these addresses, and records the names.
pub(crate) struct Names {
    addresses: Vec<IpAddr>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Names {
    pub(crate) fn local() -> Self {
        Self::at([Ipv4Addr::LOCALHOST.into()])
    }

    pub(crate) fn at(addresses: impl Into<Vec<IpAddr>>) -> Self {
        Self {
            addresses: addresses.into(),
            asked: Arc::default(),
        }
    }

    pub(crate) fn asked(&self) -> Arc<Mutex<Vec<String>>> {
        Arc::clone(&self.asked)
    }
}

impl Resolve for Names {
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(host.to_owned());
        std::future::ready(Ok(self.addresses.clone())).boxed()
    }
}

/// A set with one key for each of these `kid`s.
pub(crate) fn jwks<'a>(kids: impl IntoIterator<Item = &'a str>) -> String {
    let key = |kid| {
        // RFC 7517 A.1
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "kid": kid,
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        })
    };
    json!({ "keys": kids.into_iter().map(key).collect::<Vec<Value>>() }).to_string()
}

/// A 200 response with this body.
pub(crate) fn ok(body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::new(Full::new(body.into()))
}
