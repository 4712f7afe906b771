//! Serves one connection.

use std::{
    convert::Infallible, future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration,
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use hyper::{
    Method, Request, Response, StatusCode, Version,
    body::{Body, Incoming},
    header::UPGRADE,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tower::{BoxError, Service, ServiceExt as _};

use super::{
    Server, begin::Begun, encrypted::Encrypted, ending::Ending, guarded::Guarded, heads::Switched,
    idle::Open, limits::Permit, listener::Socket, requests::Requests, streams::Streams,
};
use crate::{
    client::PeerAddr,
    enforce::{Abortable, Connection},
};

/// An accepted connection, before its first byte.
pub(super) struct Accepted {
    pub(super) server: Arc<Server>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) permit: Permit,
    pub(super) ending: Ending,
    pub(super) open: Open,
}

/// What the requests of one connection get.
struct Facts {
    peer: Option<SocketAddr>,
    encrypted: Option<Encrypted>,
    connection: Connection,
    switched: Switched,
    ending: Ending,
    requests: Requests,
}

/// How often HTTP/2 peers have to show that they are there, and in which time.
const PING: Duration = Duration::from_secs(20);
/// How long an idle connection may take to close.
const CLOSE: Duration = Duration::from_secs(5);
/// The buffer of one HTTP/1.1 connection, in bytes. A head has to fit. With half of it, an upload takes a
/// twentieth longer.
const BUFFER: usize = 128 * 1024;
/// What one HTTP/2 stream may hold before its peer reads it, in bytes.
const SEND: usize = 64 * 1024;
/// The window of an HTTP/2 stream: how much of an unread body it holds, in bytes.
const STREAM: u32 = 128 * 1024;
/// The same for all streams of one HTTP/2 connection. One slow upload must not stop the others.
const ALL_STREAMS: u32 = 1024 * 1024;

impl Accepted {
    pub(super) async fn serve<S, B>(self, socket: Socket, service: S) -> Result<(), BoxError>
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        match &self.server.tls {
            None => self.begin(socket, None, service).await,
            Some(tls) => {
                let handshake = timeout(self.server.head_timeout, tls.accept(socket));
                let encrypted = tokio::select! {
                    encrypted = handshake => encrypted??,
                    () = self.ending.stopping() => return Ok(()),
                };
                let over = Encrypted::new(encrypted.get_ref().1)?;
                self.begin(encrypted, Some(over), service).await
            }
        }
    }

    async fn begin<T, S, B>(
        self,
        mut io: T,
        encrypted: Option<Encrypted>,
        service: S,
    ) -> Result<(), BoxError>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let Self {
            server,
            peer,
            permit,
            ending,
            open,
        } = self;
        let begun = tokio::select! {
            begun = timeout(server.head_timeout, Begun::read(&mut io)) => begun,
            () = ending.stopping() => return Ok(()),
        };
        // A peer that says nothing is no failure.
        let Ok(Some(Begun { is_http2, first })) = begun.unwrap_or(Ok(None)) else {
            return Ok(());
        };
        let requests = Requests::new(server.max_resets_of(peer));
        let guarded = Guarded::new(io, &server, is_http2, first, requests.clone(), permit);
        let switched = guarded.switched();
        let io = Abortable::new(guarded);
        let facts = Facts {
            peer,
            encrypted,
            connection: io.handle(),
            switched,
            ending: ending.clone(),
            requests: requests.clone(),
        };
        let _entry = open.enter(requests.clone());
        let facts = Arc::new(facts);
        let driver = Driver {
            requests,
            ending,
            idle_timeout: server.idle_timeout,
        };
        let service = service_fn(move |request| facts.clone().respond(request, service.clone()));
        let io = TokioIo::new(io);
        if is_http2 {
            let connection = server.http2().serve_connection(io, service);
            let stop = http2::Connection::graceful_shutdown;
            driver.drive(connection, stop).await
        } else {
            let connection = server.http1().serve_connection(io, service).with_upgrades();
            let stop = http1::UpgradeableConnection::graceful_shutdown;
            driver.drive(connection, stop).await
        }
    }
}

impl Server {
    fn http1(&self) -> http1::Builder {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            // `Guarded` and `Driver` have the time-outs.
            .header_read_timeout(None)
            .max_headers(self.max_fields)
            .max_header_size(self.max_head)
            .max_buf_size(BUFFER.max(self.max_head));
        http1
    }

    fn http2(&self) -> http2::Builder<Streams> {
        let mut http2 = http2::Builder::new(Streams {
            write_timeout: self.write_timeout,
        });
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .max_concurrent_streams(self.max_streams)
            .initial_stream_window_size(STREAM)
            .initial_connection_window_size(ALL_STREAMS)
            .max_send_buf_size(SEND)
            .max_header_list_size(u32::try_from(self.max_head).unwrap_or(u32::MAX));
        http2
    }
}

impl Facts {
    async fn respond<S, B>(
        self: Arc<Self>,
        mut request: Request<Incoming>,
        service: S,
    ) -> Result<Response<super::requests::Counted<B>>, Infallible>
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    {
        let mut in_flight = self.requests.begin();
        let connects = request.method() == Method::CONNECT;
        let may_upgrade = request.version() != Version::HTTP_2
            && (connects || request.headers().contains_key(UPGRADE));
        let extensions = request.extensions_mut();
        if let Some(peer) = self.peer {
            extensions.insert(PeerAddr(peer));
        }
        if let Some(encrypted) = &self.encrypted {
            encrypted.tell(extensions);
        }
        if may_upgrade {
            extensions.insert(self.connection.clone());
            extensions.insert(self.ending.clone());
        }
        let response = service.oneshot(request).await?;
        let status = response.status();
        if may_upgrade
            && (status == StatusCode::SWITCHING_PROTOCOLS || connects && status.is_success())
        {
            self.switched.set();
        }
        in_flight.answered();
        Ok(response.map(|body| in_flight.until_the_end_of(body)))
    }
}

/// Ends a connection that is idle, floods or has to stop.
struct Driver {
    requests: Requests,
    ending: Ending,
    idle_timeout: Duration,
}

impl Driver {
    async fn drive<C>(self, connection: C, stop: impl Fn(Pin<&mut C>)) -> Result<(), BoxError>
    where
        C: Future<Output = hyper::Result<()>>,
    {
        let mut connection = std::pin::pin!(connection);
        // It is polled only when it wakes the task, and not with each request.
        let mut reasons: FuturesUnordered<_> = [self.reason_to_end()].into_iter().collect();
        let reason = tokio::select! {
            // The others need not be looked at while the connection ends.
            biased;
            ended = connection.as_mut() => return Ok(ended?),
            reason = reasons.next() => reason,
        };
        if let Some(Reason::Flood) = reason {
            return Ok(());
        }
        stop(connection.as_mut());
        tokio::select! {
            ended = connection => Ok(ended?),
            () = self.requests.flood() => Ok(()),
            // A peer that has disappeared does not close the connection.
            () = self.requests.idle(CLOSE) => Ok(()),
            () = self.ending.cut() => Ok(()),
        }
    }

    async fn reason_to_end(&self) -> Reason {
        tokio::select! {
            biased;
            () = self.requests.flood() => Reason::Flood,
            () = self.requests.idle(self.idle_timeout) => Reason::Other,
            () = self.requests.gives_way() => Reason::Other,
            () = self.ending.stopping() => Reason::Other,
        }
    }
}

/// Why a connection has to end.
enum Reason {
    /// At once: its peer gives up too many requests.
    Flood,
    /// After its requests.
    Other,
}
