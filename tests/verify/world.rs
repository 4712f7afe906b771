//! What stands behind a proxy: the service that decides, and the API.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
};

use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Bytes, Incoming},
    header::HeaderName,
    http::request::Parts,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tower::{BoxError, ServiceExt as _, service_fn, util::BoxCloneSyncService};
use tower_revocation::{
    Secret,
    client::PeerAddr,
    enforce::{EnforcementLayer, Index, Policy},
    introspect::Introspected,
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector},
    proxy::{IdentityHeaders, VerifyService, ext_authz::ExtAuthzService},
    test_util::TestIssuer,
};

use crate::{port::free_port, process::Ports};

/// What the introspection does.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Mode {
    Works,
    Fails,
    Hangs,
}

pub(crate) type Introspect = BoxCloneSyncService<Secret, Introspected, BoxError>;

/// An issuer, a log, and the layer that checks both.
pub(crate) struct Authority {
    pub(crate) issuer: TestIssuer,
    log: MemoryLog,
    mode: Arc<AtomicU8>,
    /// The heads for which the layer has chosen a policy: those of known routes.
    routes: Arc<Mutex<Vec<Parts>>>,
    pub(crate) layer: EnforcementLayer<Introspect>,
}

impl Authority {
    pub(crate) async fn new() -> Self {
        let issuer = TestIssuer::new("https://issuer.test");
        let log = MemoryLog::new();
        let index = Index::follow(&log).await.unwrap();
        let mode = Arc::<AtomicU8>::default();
        let routes = Arc::<Mutex<Vec<Parts>>>::default();
        let noted = routes.clone();
        let layer = EnforcementLayer::new(introspect(&issuer, mode.clone()), index);
        let layer = layer.policy_by(move |head| {
            noted.lock().unwrap().push(head.clone());
            Policy::new().anonymous(head.uri.path() == "/health")
        });
        Self {
            issuer,
            log,
            mode,
            routes,
            layer,
        }
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
    }

    pub(crate) async fn revoke_grant(&self, grant: &str) {
        let record = Revocation::forever(Selector::grant(grant), NumericDate::FOREVER);
        self.log.append(vec![record]).await.unwrap();
    }

    /// A field with a live token that has no subject.
    pub(crate) fn live_without_subject(&self) -> String {
        format!("Bearer {}", self.issuer.token().client("service").sign())
    }

    /// A field with a live token.
    pub(crate) fn live(&self) -> String {
        let token = self.issuer.token().subject("alice").client("c1");
        format!("Bearer {}", token.grant("g1").sign())
    }

    pub(crate) fn service(&self) -> VerifyService<Introspect> {
        VerifyService::new(self.layer.clone(), identity())
    }

    /// The head of the last request whose route was known.
    pub(crate) fn last_route(&self) -> Parts {
        let routes = self.routes.lock().unwrap();
        routes.last().expect("a known route").clone()
    }

    pub(crate) fn known_routes(&self) -> usize {
        self.routes.lock().unwrap().len()
    }
}

fn introspect(issuer: &TestIssuer, mode: Arc<AtomicU8>) -> Introspect {
    let tokens = issuer.tokens();
    BoxCloneSyncService::new(service_fn(move |token: Secret| {
        let (tokens, mode) = (tokens.clone(), mode.load(Ordering::SeqCst));
        async move {
            match mode {
                0 => {
                    let mut found = tokens.oneshot(token).await?;
                    // The profile requires a subject of every token.
                    if let Introspected::Token(token) = &mut found {
                        token.sub = token.sub.take().filter(|_| token.client_id != "service");
                    }
                    Ok(found)
                }
                1 => Err("the keys of the issuer are out of reach".into()),
                _ => std::future::pending().await,
            }
        }
    }))
}

pub(crate) fn identity() -> IdentityHeaders {
    IdentityHeaders::new()
        .subject(HeaderName::from_static("x-token-subject"))
        .client(HeaderName::from_static("x-token-client"))
}

/// Both servers, each on a port of its own.
pub(crate) struct World {
    pub(crate) authority: Authority,
    requests: Arc<Mutex<usize>>,
    verify_server: Server,
    api_server: Server,
}

impl World {
    pub(crate) async fn start() -> Self {
        let authority = Authority::new().await;
        let verify = authority.service();
        let loopback = "127.0.0.0/8".parse().unwrap();
        let verify = ExtAuthzService::new(verify.trusted_proxies([loopback]));
        // Less than Envoy accepts.
        let verify = verify.max_message(32 << 10);
        let verify_server = Server::start(verify).await;
        let requests = Arc::<Mutex<usize>>::default();
        let seen = requests.clone();
        let api_server = Server::start(service_fn(move |request| {
            *seen.lock().unwrap() += 1;
            api(&request)
        }))
        .await;
        Self {
            authority,
            requests,
            verify_server,
            api_server,
        }
    }

    pub(crate) fn ports(&self) -> Ports {
        Ports {
            api: self.api_server.port,
            verify: self.verify_server.port,
        }
    }

    /// How many requests have reached the API.
    pub(crate) fn requests(&self) -> usize {
        *self.requests.lock().unwrap()
    }

    /// The service that decides is gone. Its port is closed.
    pub(crate) async fn end_verify(&mut self) {
        self.verify_server.end().await;
    }
}

/// An issuer that publishes its keys.
pub(crate) struct Issuer {
    pub(crate) issuer: TestIssuer,
    _server: Server,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = TestIssuer::new(format!("http://{}", listener.local_addr().unwrap()));
        let server = Server::on(listener, issuer.server());
        Self {
            issuer,
            _server: server,
        }
    }
}

/// Sends back what it has received.
fn api(
    request: &Request<Incoming>,
) -> std::future::Ready<Result<Response<Full<Bytes>>, Infallible>> {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        text.extend([name.as_str(), ": ", &value, "\n"]);
    }
    let mut response = Response::new(Full::from(text));
    if request.uri().path() == "/fails" {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    std::future::ready(Ok(response))
}

/// A server of HTTP/1.1 and HTTP/2. No other server gets its port, also when it has ended.
struct Server {
    port: u16,
    accepting: JoinHandle<()>,
    connections: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Server {
    async fn start<S, B>(service: S) -> Self
    where
        S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", free_port())).await;
        Self::on(listener.unwrap(), service)
    }

    fn on<S, B>(listener: TcpListener, service: S) -> Self
    where
        S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
    {
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::<Mutex<Vec<JoinHandle<()>>>>::default();
        let opened = connections.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                let service = service
                    .clone()
                    .map_request(move |mut request: Request<Incoming>| {
                        request.extensions_mut().insert(PeerAddr(peer));
                        request
                    });
                let service = TowerToHyperService::new(service);
                let connection = tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
                opened.lock().unwrap().push(connection);
            }
        });
        Self {
            port,
            accepting,
            connections,
        }
    }

    async fn end(&mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
        let connections = std::mem::take(&mut *self.connections.lock().unwrap());
        for connection in connections {
            connection.abort();
            let _ = connection.await;
        }
    }
}
