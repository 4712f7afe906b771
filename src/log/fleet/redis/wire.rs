//! A connection that carries requests and replies.

use std::io;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    fault::Fault,
    resp::{Incoming, Reply, Request},
    settings::{Host, Settings},
    tls,
};

/// What a connection is made of, with and without TLS.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(super) struct Wire {
    stream: Box<dyn Stream>,
    incoming: Incoming,
    /// Host and port.
    pub(super) place: String,
}

impl Wire {
    pub(super) async fn connect(host: &Host, settings: &Settings) -> Result<Self, Fault> {
        let place = host.to_string();
        let failed = |error: &io::Error| Fault::connecting(error, &place);
        let connected = TcpStream::connect((&*host.name, host.port)).await;
        let stream = connected.map_err(|error| failed(&error))?;
        stream.set_nodelay(true).map_err(|error| failed(&error))?;
        let stream: Box<dyn Stream> = if settings.needs_tls(host) {
            Box::new(tls::connect(stream, host, settings).await?)
        } else {
            Box::new(stream)
        };
        Ok(Self {
            stream,
            incoming: Incoming::default(),
            place,
        })
    }

    /// Sends commands, and waits for all replies. If the future is dropped before its end, the
    /// connection must not be used again.
    pub(super) async fn ask(&mut self, request: &Request) -> Result<Vec<Reply>, Fault> {
        let sent = self.stream.write_all(&request.bytes).await;
        sent.map_err(|_| self.broken())?;
        self.stream.flush().await.map_err(|_| self.broken())?;
        let mut replies = Vec::with_capacity(request.replies);
        while replies.len() < request.replies {
            replies.push(self.reply().await?);
        }
        Ok(replies)
    }

    async fn reply(&mut self) -> Result<Reply, Fault> {
        loop {
            let foreign =
                |_| Fault::corrupt(format!("{} does not speak as Redis does", self.place));
            if let Some(reply) = self.incoming.next().map_err(foreign)? {
                return Ok(reply);
            }
            let received = &mut self.incoming.bytes;
            received.reserve(16 << 10);
            match self.stream.read_buf(received).await {
                Ok(read) if read > 0 => {}
                _ => return Err(self.broken()),
            }
        }
    }

    fn broken(&self) -> Fault {
        Fault::lost(&self.place)
    }
}
