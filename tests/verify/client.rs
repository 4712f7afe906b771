//! A client that sends exactly what a test says.

use std::time::Duration;

use http_body_util::Empty;
use hyper::{Request, Response, body::Bytes, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long a test waits for a response before it fails.
const TIMEOUT: Duration = Duration::from_secs(45);

/// A response over HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Reply {
    /// The value of the only field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        one(self.head.lines(), name)
    }

    /// The value of the only field that the API has received under this name.
    pub(crate) fn received(&self, name: &str) -> Option<&str> {
        one(self.body.lines(), name)
    }

    /// Every field that the API has received whose name is this one in some spelling.
    pub(crate) fn received_alike(&self, name: &str) -> Vec<&str> {
        let plain = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
        let fields = self.body.lines().filter_map(|line| line.split_once(": "));
        let fields = fields.filter(|(field, _)| plain(field) == name);
        fields.map(|(_, value)| value).collect()
    }
}

fn one<'a>(lines: impl Iterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    let fields = lines.filter_map(|line| line.split_once(':'));
    let mut values = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
    let value = values.next()?.1.trim();
    assert!(values.next().is_none(), "{name} is there twice");
    Some(value)
}

/// Sends a request over a connection of its own.
pub(crate) async fn send(port: u16, line: &str, fields: &[(&str, &str)]) -> Reply {
    let mut request = format!("{line} HTTP/1.1\r\nHost: api.test\r\n");
    for (name, value) in fields {
        request.extend([name, ": ", value, "\r\n"]);
    }
    if !fields.iter().any(|(name, _)| *name == "Connection") {
        request += "Connection: close\r\n";
    }
    request += "\r\n";
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        // A proxy may reset a connection whose response it has sent.
        let _ = stream.read_to_end(&mut received).await;
        String::from_utf8(received).unwrap()
    };
    let received = timeout(TIMEOUT, exchange)
        .await
        .expect("a response in time");
    let (head, body) = received.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Reply {
        status: status.expect("a status"),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// `GET` with an Authorization field.
pub(crate) async fn get(port: u16, path: &str, authorization: &str) -> Reply {
    let fields = [("Authorization", authorization)];
    send(port, &format!("GET {path}"), &fields).await
}

/// The head of the response to a call of gRPC over HTTP/2.
pub(crate) async fn call(port: u16, authorization: &str) -> Response<()> {
    let exchange = async {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let request = Request::post("http://api.test/shop.Orders/List")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", authorization);
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let (head, _) = sender.send_request(request).await.unwrap().into_parts();
        Response::from_parts(head, ())
    };
    timeout(TIMEOUT, exchange)
        .await
        .expect("a response in time")
}
