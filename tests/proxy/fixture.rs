//! A gateway to an API, and tokens that can be revoked.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, header::HeaderName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use tower::{
    BoxError, Layer as _, service_fn,
    util::{BoxCloneSyncService, MapRequestLayer},
};
use tower_revocation::{
    ResponseBody, Secret,
    enforce::{EnforcedBody, EnforcementLayer, Index},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector},
    proxy::{
        AllowWebSocket, ForwardedBody, IdentityHeaders, ReverseProxy, SanitizeLayer, SanitizedBody,
        Upstream, server::Server,
    },
};

/// How long a test waits for what happens soon, even on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) type Introspect = BoxCloneSyncService<Secret, Option<Introspection>, BoxError>;
pub(crate) type GatewayBody = ResponseBody<EnforcedBody<ResponseBody<ForwardedBody>>>;
pub(crate) type GatewayService =
    BoxCloneSyncService<Request<Incoming>, Response<GatewayBody>, Infallible>;

/// A gateway that serves. A WebSocket is allowed on `/ws`.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) tokens: Tokens,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) serving: JoinHandle<()>,
}

/// Tokens: the text of a token is its subject. Every token is genuine, except `forged`.
#[derive(Clone)]
pub(crate) struct Tokens {
    log: MemoryLog,
    pub(crate) index: Index,
}

impl Tokens {
    pub(crate) async fn new() -> Self {
        let log = MemoryLog::new();
        let index = Index::follow(&log).await.unwrap();
        Self { log, index }
    }

    pub(crate) fn layer(&self) -> EnforcementLayer<Introspect> {
        let introspect = Introspect::new(service_fn(|token: Secret| {
            let name = token.expose();
            std::future::ready(Ok(match name {
                "forged" => None,
                name => Some(token_of(name)),
            }))
        }));
        EnforcementLayer::new(introspect, self.index.clone())
    }

    pub(crate) async fn revoke(&self, token: &str) {
        let record = Revocation::forever(Selector::grant(token), NumericDate::FOREVER);
        self.log.append(vec![record]).await.unwrap();
    }
}

fn token_of(name: &str) -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
    token.sub = Some(name.into());
    token.grant = Some(name.into());
    let now = NumericDate::now();
    token.iat = Some(NumericDate::new(now.seconds() - 60));
    token.exp = Some(now + Duration::from_secs(3600));
    token
}

pub(crate) fn identity() -> IdentityHeaders {
    IdentityHeaders::new()
        .subject(HeaderName::from_static("x-token-subject"))
        .client(HeaderName::from_static("x-token-client"))
        .session(HeaderName::from_static("x-token-session"))
}

/// What a gateway puts around this proxy.
fn around(tokens: &Tokens, proxy: ReverseProxy<SanitizedBody<Incoming>>) -> GatewayService {
    let proxy = proxy.identity(identity());
    let enforced = tokens.layer().layer(proxy);
    let allow = MapRequestLayer::new(|mut request: Request<_>| {
        if request.uri().path() == "/ws" {
            request.extensions_mut().insert(AllowWebSocket);
        }
        request
    });
    let sanitize = SanitizeLayer::new().identity(identity());
    GatewayService::new(sanitize.layer(allow.layer(enforced)))
}

impl Gateway {
    pub(crate) async fn to(url: &str) -> Self {
        Self::with(Upstream::new(url).unwrap(), Server::new()).await
    }

    pub(crate) async fn with(upstream: Upstream, server: Server) -> Self {
        Self::around(ReverseProxy::new(upstream).unwrap(), server).await
    }

    pub(crate) async fn around(
        proxy: ReverseProxy<SanitizedBody<Incoming>>,
        server: Server,
    ) -> Self {
        let tokens = Tokens::new().await;
        let service = around(&tokens, proxy);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { drop(stopped.await) };
        let serving = tokio::spawn(server.serve(listener, service, shutdown));
        Self {
            address,
            tokens,
            stop,
            serving,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Everything that the gateway sends on one connection for these bytes.
    pub(crate) async fn raw(&self, sent: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(sent).await.unwrap();
        read_to_end(&mut stream).await
    }
}

/// Everything until the peer closes. It may also reset the connection.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let _ = soon(stream.read_to_end(&mut read)).await;
    String::from_utf8_lossy(&read).into_owned()
}

/// Waits for a future, with a limit that no slow machine reaches.
pub(crate) async fn soon<T>(happens: impl Future<Output = T>) -> T {
    let happened = tokio::time::timeout(PATIENCE, happens).await;
    happened.expect("it does not happen")
}

/// An API that records every byte that it gets, and answers every head with an empty 200.
#[derive(Clone)]
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let recorder = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
        };
        let received = recorder.received.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(record(stream, received.clone()));
            }
        });
        recorder
    }

    pub(crate) fn received(&self) -> String {
        String::from_utf8_lossy(&self.received.lock().unwrap()).into_owned()
    }
}

/// Answers once for every head. Reads bodies as if they were heads, as a confused API would.
async fn record(mut stream: TcpStream, received: Arc<Mutex<Vec<u8>>>) {
    let mut seen: Vec<u8> = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        received.lock().unwrap().extend(&buffer[..read]);
        seen.extend(&buffer[..read]);
        while let Some(end) = seen.windows(4).position(|part| part == b"\r\n\r\n") {
            let is_head = seen[..end].windows(8).any(|part| part == b"HTTP/1.1");
            seen.drain(..end + 4);
            let response = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            if is_head && stream.write_all(response).await.is_err() {
                return;
            }
        }
    }
}

/// Serves this API over HTTP/1.1 and HTTP/2. Returns its authority.
pub(crate) async fn serve<F, R>(api: F) -> String
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let service = service_fn(move |request| {
        let response = api(request);
        async { Ok::<_, Infallible>(response.await) }
    });
    tokio::spawn(Server::new().serve(listener, service, std::future::pending()));
    authority
}

/// An API whose responses are the method, the target and the fields of their requests, and the
/// length of the body.
pub(crate) async fn echo(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let mut lines: Vec<String> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort_unstable();
    let body = body.collect().await.unwrap().to_bytes();
    let text = format!(
        "{} {} {:?}\n{}\n{}",
        head.method,
        head.uri,
        head.version,
        lines.join("\n"),
        body.len()
    );
    Response::new(text.into())
}

/// One request with a token, and the whole response.
pub(crate) async fn ask(
    client: &crate::versions::HttpClient,
    request: Request<Full<Bytes>>,
) -> Response<String> {
    let response = soon(client.request(request)).await.unwrap();
    let (head, body) = response.into_parts();
    let body = soon(body.collect()).await.unwrap().to_bytes();
    Response::from_parts(head, String::from_utf8_lossy(&body).into_owned())
}

/// A request with the token `alice`.
pub(crate) fn get(url: String) -> Request<Full<Bytes>> {
    let request = Request::get(url).header("authorization", "Bearer alice");
    request.body(Full::default()).unwrap()
}
