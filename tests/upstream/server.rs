//! Another authorization server, which does as it is told.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{AbortHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;
use tower_revocation::introspect::upstream::Upstream;

/// How long a test waits for what has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What it does with a connection.
#[derive(Clone)]
pub(crate) enum Does {
    /// Answers as a server should.
    Answer(Response<Full<Bytes>>),
    /// Writes these octets in answer to a request, and closes.
    Write(Vec<u8>),
    /// Reads and says nothing.
    Stall,
    /// Writes these octets in answer to a request, and nothing more.
    WriteAndStall(Vec<u8>),
    /// Answers the first request of a connection, and closes it when the second one has come.
    AnswerOnce(Response<Full<Bytes>>),
}

/// A request, as it was sent.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) struct Server {
    state: Arc<State>,
    address: SocketAddr,
    running: AbortHandle,
}

struct State {
    does: Mutex<Does>,
    connections: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    requests: Mutex<Vec<Seen>>,
    /// One for every request that may be answered.
    permits: Semaphore,
    tls: Option<TlsAcceptor>,
}

impl Server {
    pub(crate) async fn start(does: Does) -> Self {
        Self::on("127.0.0.1:0".parse().unwrap(), None, does).await
    }

    pub(crate) async fn json(body: Value) -> Self {
        Self::start(Does::Answer(json(body.to_string()))).await
    }

    pub(crate) async fn tls(acceptor: TlsAcceptor, does: Does) -> Self {
        Self::on("127.0.0.1:0".parse().unwrap(), Some(acceptor), does).await
    }

    pub(crate) async fn on(address: SocketAddr, tls: Option<TlsAcceptor>, does: Does) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            does: Mutex::new(does),
            connections: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            requests: Mutex::default(),
            permits: Semaphore::new(Semaphore::MAX_PERMITS),
            tls,
        });
        let serving = Arc::clone(&state);
        let running = tokio::spawn(async move {
            // They end with the server.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::SeqCst);
                connections.spawn(accept(Arc::clone(&serving), stream));
            }
        });
        Self {
            state,
            address,
            running: running.abort_handle(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}/introspect?tenant=1", self.address)
    }

    /// Asks it, and keeps nothing.
    pub(crate) fn forgetful(&self) -> Upstream {
        self.upstream().cache(Duration::ZERO, 0)
    }

    pub(crate) fn upstream(&self) -> Upstream {
        Upstream::new(&self.uri()).unwrap()
    }

    pub(crate) fn does(&self, does: Does) {
        *self.state.does.lock().unwrap() = does;
    }

    pub(crate) fn says(&self, body: &Value) {
        self.does(Does::Answer(json(body.to_string())));
    }

    /// Answers nothing until it may.
    pub(crate) fn hold(&self) {
        self.state.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn permit(&self, answers: usize) {
        self.state.permits.add_permits(answers);
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How many requests were there at the same time, at the most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state.most_at_once.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.state.requests.lock().unwrap().clone()
    }

    pub(crate) fn asked(&self) -> usize {
        self.state.requests.lock().unwrap().len()
    }

    /// Returns when so many requests have come.
    pub(crate) async fn has_been_asked(&self, times: usize) {
        let begun = Instant::now();
        while self.asked() < times {
            assert!(begun.elapsed() < PATIENCE, "it is not asked");
            tokio::task::yield_now().await;
        }
    }

    /// Closes the door and every connection, and returns when that is done.
    pub(crate) async fn stop(self) -> SocketAddr {
        self.running.abort();
        let begun = Instant::now();
        while !self.running.is_finished() {
            assert!(begun.elapsed() < PATIENCE, "it does not stop");
            tokio::task::yield_now().await;
        }
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// The client hangs up on much of this, so errors are expected.
async fn accept(state: Arc<State>, stream: TcpStream) -> io::Result<()> {
    match state.tls.clone() {
        Some(tls) => Box::pin(serve(state, tls.accept(stream).await?)).await,
        None => serve(state, stream).await,
    }
}

async fn serve<S>(state: Arc<State>, mut stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let does = state.does.lock().unwrap().clone();
    match does {
        Does::Write(octets) => {
            let mut read = [0; 4096];
            if stream.read(&mut read).await? == 0 {
                return Ok(());
            }
            stream.write_all(&octets).await?;
            stream.shutdown().await
        }
        Does::Stall => stall(stream).await,
        Does::WriteAndStall(octets) => {
            let mut read = [0; 4096];
            if stream.read(&mut read).await? > 0 {
                stream.write_all(&octets).await?;
                stream.flush().await?;
            }
            stall(stream).await
        }
        Does::Answer(_) | Does::AnswerOnce(_) => {
            let answered = AtomicUsize::new(0);
            let answer = service_fn(|request: Request<Incoming>| {
                let earlier = answered.fetch_add(1, Ordering::SeqCst);
                answer(Arc::clone(&state), request, earlier)
            });
            let served = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await;
            served.map_err(io::Error::other)
        }
    }
}

/// Until the client hangs up.
async fn stall(mut stream: impl AsyncRead + Unpin) -> io::Result<()> {
    let mut read = [0; 4096];
    while stream.read(&mut read).await? > 0 {}
    Ok(())
}

async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
    earlier: usize,
) -> Result<Response<Full<Bytes>>, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    state.requests.lock().unwrap().push(Seen {
        method: head.method,
        path: head.uri.to_string(),
        headers: head.headers,
        body,
    });
    let at_once = state.at_once.fetch_add(1, Ordering::SeqCst) + 1;
    state.most_at_once.fetch_max(at_once, Ordering::SeqCst);
    state.permits.acquire().await.unwrap().forget();
    state.at_once.fetch_sub(1, Ordering::SeqCst);
    let does = state.does.lock().unwrap().clone();
    match does {
        Does::Answer(response) => Ok(response),
        Does::AnswerOnce(response) if earlier == 0 => Ok(response),
        _ => Err(io::Error::other("the connection is closed")),
    }
}

/// 200, with this body.
pub(crate) fn json(body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    with_type(body, Some("application/json"))
}

pub(crate) fn with_type(
    body: impl Into<Bytes>,
    media: Option<&'static str>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    if let Some(media) = media {
        let media = HeaderValue::from_static(media);
        response.headers_mut().insert(CONTENT_TYPE, media);
    }
    response
}

pub(crate) fn with_status(status: u16) -> Response<Full<Bytes>> {
    let mut response = json(r#"{"active":true,"client_id":"c1"}"#);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}
