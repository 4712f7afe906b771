//! A connection that carries requests and replies.

use std::io;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    super::cause::cause,
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
    pub(super) host: Host,
    /// Host and port, for messages.
    pub(super) place: String,
    has_tls: bool,
    /// Whether the server has sent nothing yet.
    is_new: bool,
}

impl Wire {
    pub(super) async fn connect(host: &Host, settings: &Settings) -> Result<Self, Fault> {
        let place = host.to_string();
        let failed = |error: &io::Error| Fault::connecting(error, &place);
        let connected = TcpStream::connect((&*host.name, host.port)).await;
        let stream = connected.map_err(|error| failed(&error))?;
        stream.set_nodelay(true).map_err(|error| failed(&error))?;
        let has_tls = settings.needs_tls(host);
        let stream: Box<dyn Stream> = if has_tls {
            Box::new(tls::connect(stream, host, settings).await?)
        } else {
            Box::new(stream)
        };
        Ok(Self {
            stream,
            incoming: Incoming::default(),
            host: host.clone(),
            place,
            has_tls,
            is_new: true,
        })
    }

    /// Sends commands, and waits for all replies. If the future is dropped before its end, the
    /// connection must not be used again.
    pub(super) async fn ask(&mut self, request: &Request) -> Result<Vec<Reply>, Fault> {
        if let Err(error) = self.send(&request.bytes).await {
            return Err(self.last_word(&error).await);
        }
        let mut replies = Vec::with_capacity(request.replies);
        while replies.len() < request.replies {
            match self.reply().await {
                Ok(reply) => replies.push(reply),
                Err(fault) => return Err(self.said(replies.last()).unwrap_or(fault)),
            }
        }
        Ok(replies)
    }

    async fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request).await?;
        self.stream.flush().await
    }

    /// The server may have said why it closes the connection, before it read anything.
    async fn last_word(&mut self, error: &io::Error) -> Fault {
        match self.reply().await {
            Ok(reply) => self
                .said(Some(&reply))
                .unwrap_or_else(|| self.broken(error)),
            Err(fault) => fault,
        }
    }

    /// What the last reply of a connection that broke says.
    fn said(&self, reply: Option<&Reply>) -> Option<Fault> {
        match reply {
            Some(Reply::Error(error)) => Some(Fault::refused(error, &self.place).then_again()),
            _ => None,
        }
    }

    async fn reply(&mut self) -> Result<Reply, Fault> {
        loop {
            let foreign = |_| {
                Fault::corrupt(format!(
                    "{} does not speak as Redis does: correct host and port",
                    self.place,
                ))
            };
            if let Some(reply) = self.incoming.next().map_err(foreign)? {
                return Ok(reply);
            }
            let received = &mut self.incoming.bytes;
            received.reserve(16 << 10);
            match self.stream.read_buf(received).await {
                Ok(0) => return Err(self.broken(&io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => self.is_new = false,
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }

    fn broken(&self, error: &io::Error) -> Fault {
        // In TLS 1.3, the handshake of this side is over before the server looks at the certificate.
        match cause(error) {
            Some(rustls::Error::AlertReceived(alert)) => Fault::alert(*alert, &self.place),
            _ if self.is_new => Fault::closed(&self.place, self.has_tls),
            _ => Fault::lost(&self.place),
        }
    }
}
