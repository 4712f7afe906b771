//! A real hyper server on loopback, and clients that misbehave.

mod framing;
mod http2;
mod limits;
mod messages;

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Incoming},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use tower::{BoxError, Layer as _, Service, service_fn};
use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};

const FORM: &str = "token=45ghiukldjahdnhzdauz&client_id=spa-1";
const TYPE: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
/// `s6BhdRkqt3` / `gX1fBat3bV`, as RFC 7009 §2.1 sends them.
const BASIC: &str = "Authorization: Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW\r\n";
/// The status of the inner service, to tell its responses from those of the layer.
const INNER: StatusCode = StatusCode::IM_A_TEAPOT;

/// Counts the calls of the backend.
#[derive(Clone, Default)]
struct Revocations(Arc<AtomicUsize>);

impl Revocations {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// For clients that do not stall. A slow machine does not reach it.
const LONG: Duration = Duration::from_secs(20);
/// For clients that stall.
const SHORT: Duration = Duration::from_millis(100);

/// The layer around an inner service with a status of its own.
fn app(
    revocations: &Revocations,
    body_timeout: Duration,
) -> impl Service<
    Request<Incoming>,
    Response = Response<impl Body<Data = Bytes, Error = Infallible> + Default + Send + 'static>,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send
+ 'static {
    let authenticator = service_fn(async |request: Request<Credentials>| {
        Ok::<_, BoxError>(match request.into_body() {
            Credentials::ClientId { client_id } => Some(client_id),
            Credentials::Basic(basic) => basic
                .raw()
                .filter(|(id, secret)| id == "s6BhdRkqt3" && secret.expose() == "gX1fBat3bV")
                .map(|(id, _)| id),
            _ => None,
        })
    });
    let revocations = revocations.clone();
    let backend = service_fn(move |request: RevocationRequest<String>| {
        revocations.0.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok::<_, BoxError>(match request.token.expose() {
            "45ghiukldjahdnhzdauz" => Outcome::Revoked,
            "foreign" => Outcome::IssuedToAnother,
            "poison" => panic!("deliberate"),
            _ => Outcome::NotFound,
        }))
    });
    let inner = service_fn(async |request: Request<Incoming>| {
        let mut response = Response::new(Full::from("inner ".repeat(100)));
        *response.status_mut() = INNER;
        if request.uri().path() == "/chat" {
            response = Response::default();
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            response
                .headers_mut()
                .insert("upgrade", request.headers()["upgrade"].clone());
            tokio::spawn(echo(request));
        }
        Ok::<_, Infallible>(response)
    });
    RevocationLayer::new("/revoke", authenticator, backend)
        .timer(TokioTimer::new())
        .body_timeout(body_timeout)
        .layer(inner)
}

/// Sends back what it receives on the upgraded connection.
async fn echo(request: Request<Incoming>) {
    let upgraded = hyper::upgrade::on(request).await.unwrap();
    let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
    tokio::io::copy(&mut reader, &mut writer).await.unwrap();
}

async fn serve<S, B>(app: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(app.clone());
            tokio::spawn(async move {
                auto::Builder::new(TokioExecutor::new())
                    .serve_connection_with_upgrades(TokioIo::new(stream), service)
                    .await
                    .ok();
            });
        }
    });
    address
}

#[derive(Debug)]
struct RawResponse {
    status: u16,
    /// In lowercase.
    head: String,
    body: Vec<u8>,
}

impl RawResponse {
    fn has_line(&self, field: &str) -> bool {
        self.head.lines().any(|line| line == field)
    }
}

/// A client that writes raw bytes.
struct Peer {
    stream: BufReader<TcpStream>,
    revocations: Revocations,
}

impl Peer {
    async fn connect() -> Self {
        Self::connect_to(LONG).await
    }

    async fn connect_to(body_timeout: Duration) -> Self {
        let revocations = Revocations::default();
        let address = serve(app(&revocations, body_timeout)).await;
        Self::of(address, revocations).await
    }

    async fn of(address: SocketAddr, revocations: Revocations) -> Self {
        Self {
            stream: BufReader::new(TcpStream::connect(address).await.unwrap()),
            revocations,
        }
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The next response, or `None` if the connection ends before it.
    async fn try_response(&mut self) -> Option<RawResponse> {
        let response = async {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if self.stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                    assert_eq!(head, "", "the response is truncated");
                    return None;
                }
            }
            let head = head.to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            self.stream.read_exact(&mut body).await.unwrap();
            Some(RawResponse {
                status: head[9..12].parse().unwrap(),
                head,
                body,
            })
        };
        tokio::time::timeout(Duration::from_secs(60), response)
            .await
            .expect("the server responds or closes the connection")
    }

    async fn response(&mut self) -> RawResponse {
        self.try_response()
            .await
            .expect("the server closed the connection")
    }

    /// Sends one request on a new connection. Returns the response and the number of revocations.
    async fn ask(request: impl AsRef<[u8]>) -> (RawResponse, usize) {
        let mut peer = Self::connect().await;
        peer.send(request).await;
        let response = peer.response().await;
        (response, peer.revocations.count())
    }

    async fn expect_closed(&mut self) {
        assert!(self.try_response().await.is_none(), "an extra response");
    }
}

const HEAD: &str = "POST /revoke HTTP/1.1\r\nHost: as.example.com\r\n";

fn post(fields: &str, body: &str) -> String {
    let length = body.len();
    format!("{HEAD}{fields}Content-Length: {length}\r\n\r\n{body}")
}

fn chunked(fields: &str, body: &str) -> String {
    format!("{HEAD}{fields}Transfer-Encoding: chunked\r\n\r\n{body}")
}
