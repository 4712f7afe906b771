//! The load: connections that are always busy, and that cost this process little.
//!
//! A client library would take as long for a request as the server does. The server would wait for
//! it, and wake up for each request. So the requests are bytes that exist before the turn begins,
//! and a response is read until its end, without parsing.

use std::net::SocketAddr;

use futures::future::join_all;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime::{self, Runtime},
};

const CONNECTIONS: usize = 32;

pub(crate) struct Load {
    runtime: Runtime,
    connections: Vec<TcpStream>,
    client: Client,
}

/// The bytes of a request.
pub(crate) struct Request {
    /// Sent before the rest, if the server has to ask for the body.
    head: Option<Vec<u8>>,
    rest: Vec<u8>,
}

/// When the body is sent.
#[derive(Clone, Copy)]
pub(crate) enum Sending {
    /// With the head. It is there when the server asks for it.
    Together,
    /// After `100 Continue`, which the server sends once it waits for the body.
    InTwoParts,
}

/// The value of `Authorization`, and the identifier in the form.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    pub(crate) authorization: &'static str,
    pub(crate) id: &'static str,
}

/// The one client that the servers of this benchmark know.
pub(crate) const BENCH_CLIENT: Client = Client {
    authorization: "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3",
    id: "s6BhdRkqt3",
};

impl Load {
    /// Connects.
    pub(crate) fn new(address: SocketAddr, client: Client) -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_io().build();
        let runtime = runtime.expect("a runtime");
        let connections = runtime.block_on(join_all((0..CONNECTIONS).map(|_| async {
            let stream = TcpStream::connect(address).await;
            let stream = stream.expect("the server accepts connections");
            stream.set_nodelay(true).expect("a TCP connection");
            stream
        })));
        Self {
            runtime,
            connections,
            client,
        }
    }

    /// One revocation for each token.
    pub(crate) fn requests(
        &self,
        tokens: impl Iterator<Item = String>,
        sending: Sending,
    ) -> Vec<Request> {
        let request = |token: String| self.client.revocation(&token, sending);
        tokens.map(request).collect()
    }

    /// Sends all requests, one at a time on each connection, and checks all responses.
    pub(crate) fn send(&mut self, requests: &[Request]) {
        let share = requests.len().div_ceil(self.connections.len());
        let shares = self.connections.iter_mut().zip(requests.chunks(share));
        let sent = join_all(shares.map(|(stream, requests)| async move {
            for request in requests {
                exchange(stream, request).await;
            }
        }));
        self.runtime.block_on(sent);
    }
}

async fn exchange(stream: &mut TcpStream, request: &Request) {
    if let Some(head) = &request.head {
        let mut buffer = [0; 1024];
        let answer = answer(stream, head, &mut buffer).await;
        assert_eq!(answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    }
    let mut buffer = [0; 1024];
    let answer = answer(stream, &request.rest, &mut buffer).await;
    assert!(
        is_success(answer),
        "not a success: {}",
        String::from_utf8_lossy(answer)
    );
}

/// Sends a part of a request, and reads to the end of a head.
async fn answer<'a>(stream: &mut TcpStream, part: &[u8], buffer: &'a mut [u8]) -> &'a [u8] {
    stream.write_all(part).await.expect("the server reads");
    let mut length = 0;
    while !buffer[..length].ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut buffer[length..]).await;
        let read = read.expect("the server responds");
        assert_ne!(read, 0, "the server closed the connection");
        length += read;
    }
    &buffer[..length]
}

/// Whether the response has the status 200, no body, and the header fields that all servers send.
fn is_success(response: &[u8]) -> bool {
    const FIELDS: [&[u8]; 4] = [
        b"\r\ncache-control: no-store\r\n",
        b"\r\npragma: no-cache\r\n",
        b"\r\nx-content-type-options: nosniff\r\n",
        b"\r\ncontent-length: 0\r\n",
    ];
    let has = |field: &[u8]| response.windows(field.len()).any(|part| part == field);
    response.starts_with(b"HTTP/1.1 200 OK\r\n") && FIELDS.into_iter().all(has)
}

impl Client {
    fn revocation(self, token: &str, sending: Sending) -> Request {
        let Self { authorization, id } = self;
        let body = format!("token={token}&token_type_hint=refresh_token&client_id={id}");
        let length = body.len();
        let expect = match sending {
            Sending::Together => "",
            Sending::InTwoParts => "expect: 100-continue\r\n",
        };
        let head = format!(
            "POST /oauth2/revoke HTTP/1.1\r\n\
             host: as.example.com\r\n\
             user-agent: client/1.0\r\n\
             accept: */*\r\n\
             {expect}\
             authorization: {authorization}\r\n\
             content-type: application/x-www-form-urlencoded\r\n\
             content-length: {length}\r\n\r\n"
        );
        match sending {
            Sending::Together => Request {
                head: None,
                rest: (head + &body).into(),
            },
            Sending::InTwoParts => Request {
                head: Some(head.into()),
                rest: body.into(),
            },
        }
    }
}
