//! Redis or Valkey, by its protocol.

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream},
    net::TcpStream,
    sync::Mutex,
};
use tower_revocation::log::Revocation;

pub(crate) struct Connection(Mutex<BufStream<TcpStream>>);

impl Connection {
    /// The URL has a host and a port, and no password.
    pub(crate) async fn open(url: &str) -> Self {
        let address = url.split_once("://").map_or(url, |(_, rest)| rest);
        let end = address.find(['/', '?']).unwrap_or(address.len());
        let stream = TcpStream::connect(&address[..end]).await;
        let stream = stream.expect("the server answers");
        stream.set_nodelay(true).expect("a socket");
        Self(Mutex::new(BufStream::new(stream)))
    }

    /// One command, so that the server writes its file once.
    pub(crate) async fn upsert(&self, records: &[Revocation]) {
        let parts = 2 + 2 * records.len();
        let mut command = format!("*{parts}\r\n$4\r\nHSET\r\n$5\r\nfloor\r\n").into_bytes();
        for record in records {
            let dates = [record.not_before(), record.expires()];
            let dates = dates.map(|date| date.seconds().to_be_bytes()).concat();
            for part in [&record.selector().to_bytes()[..], &dates] {
                command.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
                command.extend_from_slice(part);
                command.extend_from_slice(b"\r\n");
            }
        }
        let mut stream = self.0.lock().await;
        let written = stream.write_all(&command).await;
        written.expect("the server answers");
        stream.flush().await.expect("the server answers");
        let mut reply = String::new();
        let read = stream.read_line(&mut reply).await;
        read.expect("the server answers");
        assert!(reply.starts_with(':'), "{reply}");
    }
}
