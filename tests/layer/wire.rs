//! A real hyper server on loopback, and clients that misbehave.

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
use futures::StreamExt as _;
use http_body_util::{Empty, Full, StreamBody};
use hyper::{
    Request, Response, StatusCode, Version,
    body::{Body, Frame, Incoming},
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
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};
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

#[tokio::test]
async fn success_is_an_empty_200() {
    let (response, revocations) = Peer::ask(post(TYPE, FORM)).await;
    assert_eq!((response.status, revocations), (200, 1));
    assert!(response.has_line("content-length: 0"));
    assert!(response.has_line("cache-control: no-store"));
    for absent in [
        "\ncontent-type",
        "\ntransfer-encoding",
        "\nwww-authenticate",
    ] {
        assert!(!response.head.contains(absent), "{}", response.head);
    }
}

#[tokio::test]
async fn pipelined_requests_get_responses_in_order() {
    let mut peer = Peer::connect().await;
    let foreign = post(TYPE, "token=foreign&client_id=spa-1");
    let last = post(&format!("{TYPE}Connection: close\r\n"), FORM);
    let other = "GET / HTTP/1.1\r\nHost: as.example.com\r\n\r\n";
    peer.send([&post(TYPE, FORM), &foreign, other, &last].concat())
        .await;
    for status in [200, 400, INNER.as_u16(), 200] {
        assert_eq!(peer.response().await.status, status);
    }
    peer.expect_closed().await;
    assert_eq!(peer.revocations.count(), 3);
}

#[tokio::test]
async fn chunked_form_is_accepted() {
    let mut chunks: Vec<_> = FORM.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    chunks.push("0\r\n\r\n".to_owned());
    let (response, revocations) = Peer::ask(chunked(TYPE, &chunks.concat())).await;
    assert_eq!((response.status, revocations), (200, 1));
}

/// RFC 9110 §6.5.1: trailers are not merged into the head.
#[tokio::test]
async fn credentials_in_trailers_are_ignored() {
    let body = format!("d\r\ntoken=foreign\r\n0\r\n{BASIC}\r\n");
    let (response, revocations) = Peer::ask(chunked(TYPE, &body)).await;
    assert_eq!((response.status, revocations), (401, 0));

    let body = "b\r\nclient_id=a\r\n0\r\ntoken: 45ghiukldjahdnhzdauz\r\n\r\n";
    let (response, revocations) = Peer::ask(chunked(TYPE, body)).await;
    assert_eq!((response.status, revocations), (400, 0));
}

#[tokio::test]
async fn http_1_0_is_served() {
    let length = FORM.len();
    let mut peer = Peer::connect().await;
    peer.send(format!(
        "POST /revoke HTTP/1.0\r\n{TYPE}Content-Length: {length}\r\n\r\n{FORM}"
    ))
    .await;
    let response = peer.response().await;
    assert_eq!(response.status, 200);
    assert!(response.has_line("content-length: 0"));
    peer.expect_closed().await;
    assert_eq!(peer.revocations.count(), 1);
}

#[tokio::test]
async fn stalled_body_is_408_and_closes_the_connection() {
    let mut peer = Peer::connect_to(SHORT).await;
    peer.send(post(TYPE, FORM).trim_end_matches("spa-1")).await;
    let response = peer.response().await;
    assert_eq!(response.status, 408);
    assert!(response.has_line("connection: close"));
    assert_eq!(response.body, br#"{"error":"invalid_request"}"#);
    peer.expect_closed().await;
    assert_eq!(peer.revocations.count(), 0);
}

#[tokio::test]
async fn truncated_body_revokes_nothing() {
    for request in [
        post(TYPE, FORM).trim_end_matches("-1").to_owned(),
        // The form is complete, but its framing is not.
        chunked(TYPE, &format!("{:x}\r\n{FORM}\r\n", FORM.len())),
    ] {
        let mut peer = Peer::connect().await;
        peer.send(request).await;
        peer.stream.get_mut().shutdown().await.unwrap();
        if let Some(response) = peer.try_response().await {
            assert_eq!(response.status, 400);
            peer.expect_closed().await;
        }
        assert_eq!(peer.revocations.count(), 0);
    }
}

/// Without framing the body is empty (RFC 9112 §6.3).
#[tokio::test]
async fn request_without_framing_has_no_form() {
    let (response, revocations) = Peer::ask(format!("{HEAD}{TYPE}{BASIC}\r\n")).await;
    assert_eq!((response.status, revocations), (400, 0));
    let (response, revocations) = Peer::ask(format!("{HEAD}{TYPE}\r\n")).await;
    assert_eq!((response.status, revocations), (401, 0));
}

#[tokio::test]
async fn chunked_framing_overrides_the_length() {
    let fields = format!("{TYPE}Content-Length: 1000000\r\n");
    let body = format!("{:x}\r\n{FORM}\r\n0\r\n\r\n", FORM.len());
    let mut peer = Peer::connect().await;
    peer.send(chunked(&fields, &body)).await;
    // A server may refuse it (RFC 9112 §6.1), but must not use the length.
    let response = peer.response().await;
    assert!(matches!(response.status, 200 | 400), "{response:?}");
    assert_eq!(
        peer.revocations.count(),
        usize::from(response.status == 200)
    );
}

#[tokio::test]
async fn two_lengths_are_400() {
    let (response, revocations) =
        Peer::ask(post(&format!("{TYPE}Content-Length: 7\r\n"), FORM)).await;
    assert_eq!((response.status, revocations), (400, 0));
}

/// If the head decides the response, the layer does not ask for the body (RFC 9110 §10.1.1).
#[tokio::test]
async fn expect_continue_is_refused_before_the_body() {
    let good = format!("{HEAD}{TYPE}Content-Length: {}\r\n", FORM.len());
    let two = format!("{BASIC}{BASIC}");
    for (status, head) in [
        (405, good.replacen("POST", "PUT", 1)),
        (413, good.replacen(&FORM.len().to_string(), "65537", 1)),
        (415, good.replacen("x-www-form-urlencoded", "json", 1)),
        (415, good.clone() + "Content-Encoding: gzip\r\n"),
        (400, good.clone() + &two),
        (400, good.replacen("/revoke", "/revoke?token=45gh", 1)),
    ] {
        let (response, revocations) =
            Peer::ask(format!("{head}Expect: 100-continue\r\n\r\n")).await;
        assert_eq!((response.status, revocations), (status, 0), "{head}");
    }
}

#[tokio::test]
async fn expect_continue_with_a_good_head_continues() {
    let mut peer = Peer::connect().await;
    let request = post(&format!("{TYPE}Expect: 100-continue\r\n"), FORM);
    peer.send(request.trim_end_matches(FORM)).await;
    assert_eq!(peer.response().await.status, 100);
    assert_eq!(peer.revocations.count(), 0);
    peer.send(FORM).await;
    assert_eq!(peer.response().await.status, 200);
    assert_eq!(peer.revocations.count(), 1);
}

#[tokio::test]
async fn expect_continue_without_a_body_is_408() {
    let mut peer = Peer::connect_to(SHORT).await;
    let request = post(&format!("{TYPE}Expect: 100-continue\r\n"), FORM);
    peer.send(request.trim_end_matches(FORM)).await;
    assert_eq!(peer.response().await.status, 100);
    assert_eq!(peer.response().await.status, 408);
    peer.expect_closed().await;
}

#[tokio::test]
async fn length_over_the_limit_is_413_before_the_body() {
    let mut peer = Peer::connect().await;
    peer.send(format!("{HEAD}{TYPE}Content-Length: 65537\r\n\r\n"))
        .await;
    let response = peer.response().await;
    assert_eq!(response.status, 413);
    assert!(response.has_line("connection: close"));
    peer.expect_closed().await;
}

/// The client stops after the first byte over the limit, and gets a response.
#[tokio::test]
async fn chunks_over_the_limit_are_413_at_once() {
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let mut peer = Peer::connect().await;
    peer.send(chunked(TYPE, &chunk.repeat(16))).await;
    peer.send("1\r\nx\r\n").await;
    let response = peer.response().await;
    assert_eq!(response.status, 413);
    assert!(response.has_line("connection: close"));
    assert_eq!(response.body, br#"{"error":"invalid_request"}"#);
    peer.expect_closed().await;
}

/// An unread body is never parsed as the next request.
#[tokio::test]
async fn refused_body_is_not_the_next_request() {
    let hidden = post(TYPE, FORM);
    let last = "GET / HTTP/1.1\r\nHost: as.example.com\r\nConnection: close\r\n\r\n";
    for (status, request) in [
        (415, post("Content-Type: application/json\r\n", &hidden)),
        (405, post(TYPE, &hidden).replacen("POST", "PUT", 1)),
        (
            413,
            format!("{HEAD}{TYPE}Content-Length: 65537\r\n\r\n{hidden}"),
        ),
        (
            400,
            post(TYPE, &hidden).replacen("/revoke", "/revoke?token=45gh", 1),
        ),
        (
            415,
            post(
                "Content-Type: application/json\r\nExpect: 100-continue\r\n",
                &hidden,
            ),
        ),
    ] {
        let mut peer = Peer::connect().await;
        peer.send(request + last).await;
        assert_eq!(peer.response().await.status, status);
        if let Some(response) = peer.try_response().await {
            assert_eq!(response.status, INNER.as_u16());
            peer.expect_closed().await;
        }
        assert_eq!(peer.revocations.count(), 0);
    }
}

#[tokio::test]
async fn enormous_head_is_431() {
    let mut peer = Peer::connect().await;
    let field = format!("Authorization: Basic {}\r\n", "YTpi".repeat(150 * 1024));
    // The server may stop reading before the end.
    let request = post(&format!("{TYPE}{field}"), FORM);
    peer.stream.write_all(request.as_bytes()).await.ok();
    assert_eq!(peer.response().await.status, 431);
    assert_eq!(peer.revocations.count(), 0);
}

#[tokio::test]
async fn malformed_credentials_are_401() {
    let large = format!("Basic {}", "YTpi".repeat(16 * 1024)).into_bytes();
    let mut obs_text = b"Basic ".to_vec();
    obs_text.extend([0xff, 0xfe]);
    for value in [large, obs_text] {
        let body = "token=45ghiukldjahdnhzdauz";
        let head = format!("{HEAD}{TYPE}Content-Length: {}\r\n", body.len());
        let request = [
            head.as_bytes(),
            b"Authorization: ",
            &value,
            b"\r\n\r\n",
            body.as_bytes(),
        ];
        let (response, revocations) = Peer::ask(request.concat()).await;
        assert_eq!((response.status, revocations), (401, 0));
        assert!(response.has_line(r#"www-authenticate: basic realm="oauth", charset="utf-8""#));
    }
}

/// RFC 9110 §9.1: methods are case-sensitive.
#[tokio::test]
async fn methods_except_post_and_options_are_405() {
    for method in [
        "post", "GET", "PUT", "PATCH", "DELETE", "TRACE", "QUERY", "options",
    ] {
        let override_ = "X-HTTP-Method-Override: POST\r\n";
        let request = post(&format!("{TYPE}{override_}"), FORM).replacen("POST", method, 1);
        let (response, revocations) = Peer::ask(request).await;
        assert_eq!((response.status, revocations), (405, 0), "{method}");
        assert!(response.has_line("allow: post, options"), "{method}");
        assert_eq!(response.body, br#"{"error":"invalid_request"}"#);
    }
}

#[tokio::test]
async fn head_is_405_without_a_body() {
    let mut peer = Peer::connect().await;
    peer.send("HEAD /revoke HTTP/1.1\r\nHost: as.example.com\r\nConnection: close\r\n\r\n")
        .await;
    let mut response = String::new();
    peer.stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 405 "), "{response}");
    assert!(response.ends_with("\r\n\r\n"), "{response}");
}

/// The path matches with any authority (RFC 9112 §3.2.2).
#[tokio::test]
async fn absolute_form_matches_the_path() {
    let request = post(TYPE, FORM).replacen("/revoke", "http://another.example/revoke", 1);
    let (response, revocations) = Peer::ask(request).await;
    assert_eq!((response.status, revocations), (200, 1));
}

/// `OPTIONS *` is about the server, not about the endpoint (RFC 9110 §9.3.7).
#[tokio::test]
async fn options_for_the_server_passes() {
    let (response, _) = Peer::ask("OPTIONS * HTTP/1.1\r\nHost: as.example.com\r\n\r\n").await;
    assert_eq!(response.status, INNER.as_u16());
}

#[tokio::test]
async fn compressed_form_is_415() {
    let (response, revocations) =
        Peer::ask(post(&format!("{TYPE}Content-Encoding: gzip\r\n"), FORM)).await;
    assert_eq!((response.status, revocations), (415, 0));
    assert!(response.has_line("accept-encoding: identity"));
    let (response, revocations) =
        Peer::ask(post(&format!("{TYPE}Content-Encoding: identity\r\n"), FORM)).await;
    assert_eq!((response.status, revocations), (200, 1));
}

#[tokio::test]
async fn compression_keeps_the_empty_200_empty() {
    let revocations = Revocations::default();
    let address = serve(CompressionLayer::new().layer(app(&revocations, LONG))).await;
    let mut peer = Peer::of(address, revocations).await;

    peer.send(post(&format!("{TYPE}Accept-Encoding: gzip\r\n"), FORM))
        .await;
    let response = peer.response().await;
    assert_eq!(response.status, 200);
    assert!(response.has_line("content-length: 0"));
    assert!(
        !response.head.contains("content-encoding"),
        "{}",
        response.head
    );

    // Other responses are compressed.
    peer.send("GET / HTTP/1.1\r\nHost: as.example.com\r\nAccept-Encoding: gzip\r\n\r\n")
        .await;
    assert!(peer.response().await.has_line("content-encoding: gzip"));
}

#[tokio::test]
async fn panic_closes_only_its_connection() {
    let revocations = Revocations::default();
    let address = serve(app(&revocations, LONG)).await;
    let mut poisoned = Peer::of(address, revocations.clone()).await;
    let mut other = Peer::of(address, revocations).await;
    poisoned
        .send(post(TYPE, "token=poison&client_id=spa-1"))
        .await;
    poisoned.expect_closed().await;
    other.send(post(TYPE, FORM)).await;
    assert_eq!(other.response().await.status, 200);
}

#[tokio::test]
async fn caught_panic_is_500_and_keeps_the_connection() {
    let revocations = Revocations::default();
    let address = serve(CatchPanicLayer::new().layer(app(&revocations, LONG))).await;
    let mut peer = Peer::of(address, revocations).await;
    peer.send(post(TYPE, "token=poison&client_id=spa-1")).await;
    assert_eq!(peer.response().await.status, 500);
    peer.send(post(TYPE, FORM)).await;
    assert_eq!(peer.response().await.status, 200);
}

/// A revocation has no representation, so conditions and ranges do not apply (RFC 9110 §13, §14).
#[tokio::test]
async fn conditions_and_ranges_are_ignored() {
    let fields = format!("{TYPE}If-None-Match: *\r\nRange: bytes=0-0\r\n");
    let (response, revocations) = Peer::ask(post(&fields, FORM)).await;
    assert_eq!((response.status, revocations), (200, 1));
}

#[tokio::test]
async fn upgrade_on_another_path_passes() {
    let address = serve(app(&Revocations::default(), LONG)).await;
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    let request = Request::get("/chat")
        .header("host", "as.example.com")
        .header("connection", "upgrade")
        .header("upgrade", "chat")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let mut upgraded = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    upgraded.write_all(b"hello").await.unwrap();
    let mut echoed = [0; 5];
    upgraded.read_exact(&mut echoed).await.unwrap();
    assert_eq!(&echoed, b"hello");
}

/// Sends one request on a new HTTP/2 connection.
async fn over_http_2<B>(
    request: Request<B>,
    body_timeout: Duration,
) -> (hyper::Result<Response<Incoming>>, Revocations)
where
    B: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
{
    let revocations = Revocations::default();
    let address = serve(app(&revocations, body_timeout)).await;
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
    tokio::spawn(connection);
    let response = tokio::time::timeout(Duration::from_secs(60), sender.send_request(request));
    (response.await.unwrap(), revocations)
}

fn post_2<B>(body: B) -> hyper::http::Result<Request<B>> {
    Request::post("http://as.example.com/revoke")
        .version(Version::HTTP_2)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}

/// A body of unknown length, which may never end.
fn unsized_body(
    beginning: &'static str,
    ends: bool,
) -> impl Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static {
    let beginning = futures::stream::iter([Ok(Frame::data(Bytes::from(beginning)))]);
    StreamBody::new(if ends {
        beginning.chain(futures::stream::empty()).left_stream()
    } else {
        beginning.chain(futures::stream::pending()).right_stream()
    })
}

/// RFC 9113 §8.2.2.
fn assert_not_connection_specific(response: &Response<Incoming>) {
    for field in ["connection", "keep-alive", "transfer-encoding", "upgrade"] {
        assert!(!response.headers().contains_key(field), "{response:?}");
    }
}

#[tokio::test]
async fn http_2_revokes_without_a_length() {
    let (response, revocations) =
        over_http_2(post_2(unsized_body(FORM, true)).unwrap(), LONG).await;
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.version(), Version::HTTP_2);
    assert_eq!(response.headers()["content-length"], "0");
    assert_not_connection_specific(&response);
    assert!(response.into_body().is_end_stream());
    assert_eq!(revocations.count(), 1);
}

#[tokio::test]
async fn http_2_gets_408_and_413_without_connection_fields() {
    let stalled = post_2(unsized_body("token=45gh", false)).unwrap();
    let (response, revocations) = over_http_2(stalled, SHORT).await;
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert_not_connection_specific(&response);
    assert_eq!(revocations.count(), 0);

    let large = post_2(Full::<Bytes>::from("x".repeat(65_537))).unwrap();
    let (response, revocations) = over_http_2(large, LONG).await;
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_not_connection_specific(&response);
    assert_eq!(revocations.count(), 0);
}

/// Such a request is malformed (RFC 9113 §8.1.1).
#[tokio::test]
async fn http_2_with_a_wrong_length_revokes_nothing() {
    for length in [5, FORM.len() - 1, FORM.len() + 1] {
        let mut request = post_2(unsized_body(FORM, true)).unwrap();
        request
            .headers_mut()
            .insert("content-length", length.into());
        let (response, revocations) = over_http_2(request, LONG).await;
        if let Ok(response) = response {
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{length}");
        }
        assert_eq!(revocations.count(), 0, "{length}");
    }
}

/// As in HTTP/1 (RFC 9110 §6.5.1).
#[tokio::test]
async fn http_2_credentials_in_trailers_are_ignored() {
    let mut trailers = hyper::HeaderMap::new();
    let basic = BASIC.trim_end().trim_start_matches("Authorization: ");
    trailers.insert("authorization", basic.parse().unwrap());
    let frames = [
        Ok(Frame::data(Bytes::from("token=45ghiukldjahdnhzdauz"))),
        Ok(Frame::trailers(trailers)),
    ];
    let body = StreamBody::new(futures::stream::iter(frames));
    let (response, revocations) = over_http_2(post_2(body).unwrap(), LONG).await;
    assert_eq!(response.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(revocations.count(), 0);
}
