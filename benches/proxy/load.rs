//! The load: connections with requests that exist before they are sent, and responses that are read
//! without parsing, so that this process takes little of its CPU.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures::future::join_all;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::yield_now,
    time::sleep,
};

use crate::process::Server;

pub(crate) const CONNECTIONS: u32 = 32;

/// Connections that are kept, and what is sent on them.
pub(crate) struct Load {
    connections: Vec<TcpStream>,
    request: Vec<u8>,
    /// How each response ends.
    end: &'static [u8],
}

/// A request with a token.
pub(crate) fn request(line: &str, token: &str) -> Vec<u8> {
    let head = format!(
        "{line} HTTP/1.1\r\n\
         host: api.example.com\r\n\
         user-agent: client/1.0\r\n\
         accept: application/json\r\n\
         authorization: Bearer {token}\r\n\r\n"
    );
    head.into()
}

impl Load {
    /// Connects once the server permits the request.
    pub(crate) async fn new(server: &Server, request: Vec<u8>, end: &'static [u8]) -> Self {
        let begun = Instant::now();
        while !is_permitted(server.address, &request).await {
            let waits = begun.elapsed() < Duration::from_secs(30);
            assert!(
                waits,
                "the server does not permit the request: {}",
                server.log()
            );
            sleep(Duration::from_millis(20)).await;
        }
        let connections = (0..CONNECTIONS).map(|_| connect(server.address));
        Self {
            connections: join_all(connections).await,
            request,
            end,
        }
    }

    /// Sends this number of requests, one at a time on each connection.
    pub(crate) async fn send(&mut self, requests: u32) {
        let (request, end) = (&self.request, self.end);
        join_all(self.connections.iter_mut().map(async |stream| {
            for _ in 0..requests / CONNECTIONS {
                exchange(stream, request, end).await;
            }
        }))
        .await;
    }

    /// Sends requests at a rate, for some time. Returns how long each took.
    pub(crate) async fn send_at(&mut self, rate: f64, time: Duration) -> Vec<Duration> {
        let (request, end) = (&self.request, self.end);
        let begun = Instant::now();
        let interval = Duration::from_secs_f64(1.0 / rate);
        let numbered = (0..).zip(&mut self.connections);
        let taken = join_all(numbered.map(async |(number, stream)| {
            let mut taken = Vec::new();
            let mut due = begun + interval * number;
            while due < begun + time {
                // The timer has steps of a millisecond.
                while Instant::now() < due {
                    yield_now().await;
                }
                exchange(stream, request, end).await;
                // From when it was due: a request that waits for the one before is late.
                taken.push(due.elapsed());
                due += interval * CONNECTIONS;
            }
            taken
        }))
        .await;
        taken.concat()
    }
}

pub(crate) async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await;
    let stream = stream.expect("the server accepts connections");
    stream.set_nodelay(true).expect("a TCP connection");
    stream
}

async fn exchange(stream: &mut TcpStream, request: &[u8], end: &[u8]) {
    stream.write_all(request).await.expect("the server reads");
    let mut buffer = [0; 2048];
    let mut length = 0;
    while !buffer[..length].ends_with(end) {
        let read = stream.read(&mut buffer[length..]).await;
        let read = read.expect("the server responds");
        assert_ne!(read, 0, "the server closed the connection");
        length += read;
    }
    let response = &buffer[..length];
    let text = || String::from_utf8_lossy(response);
    assert!(response.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", text());
}

/// Whether the server listens, and says 200.
async fn is_permitted(address: SocketAddr, request: &[u8]) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else {
        return false;
    };
    let mut start = [0; 12];
    let sent = stream.write_all(request).await;
    let read = stream.read_exact(&mut start).await;
    sent.is_ok() && read.is_ok() && start == *b"HTTP/1.1 200"
}
