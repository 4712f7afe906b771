//! A server of HTTP/1.1 and HTTP/2 whose connections are bounded.

mod accept;
mod begin;
mod connection;
mod encrypted;
mod ending;
mod guarded;
mod heads;
mod idle;
mod limits;
mod listener;
#[cfg(unix)]
mod refused_users;
mod requests;
mod streams;
mod tls;
mod trusted;

use std::{convert::Infallible, future::Future, net::SocketAddr, time::Duration};

use hyper::{
    Request, Response,
    body::{Body, Incoming},
};
use tower::{BoxError, Service};

use self::accept::Accepting;
pub(super) use self::ending::Ending;
pub use self::{listener::Listener, tls::ServerTls, trusted::TrustedPeers};

/// Accepts connections and serves HTTP/1.1 and HTTP/2 on them, with TLS or without.
///
/// Slow peers and floods cost others nothing beyond these limits:
///
/// | what is limited | default | beyond it |
/// |---|---|---|
/// | [connections](Self::max_connections) | 32,768 | the connections that are idle the longest are closed, or new ones wait |
/// | [connections of one address](Self::max_connections_per_address) | 4,096 | new ones are closed |
/// | the time for TLS, the first bytes and a [head](Self::head_timeout) | 10 s | the connection is closed |
/// | the time [without a request](Self::idle_timeout) | 60 s | the connection is closed |
/// | the time in which the peer [reads nothing](Self::write_timeout) | 60 s | the connection is closed, or the HTTP/2 stream |
/// | [streams](Self::max_streams) of one HTTP/2 connection at once | 200 | the stream is refused |
/// | streams that an HTTP/2 peer [resets](Self::max_resets) | 100, and as many as have a response | the connection is closed |
/// | [header fields](Self::max_fields) | 100 | 431 |
/// | the [head](Self::max_head) | 16 KiB | 431 |
///
/// Of a body that is not read, an HTTP/2 stream holds at most 128 KiB, all streams of a connection
/// together 1 MiB, and an HTTP/1.1 connection 128 KiB. Of a response, an HTTP/1.1 connection holds at
/// most 128 KiB, a stream 64 KiB, and each one frame of the body.
///
/// The time in which an HTTP/2 peer reads nothing of a stream runs until hyper has handed the last frame of
/// the body to its HTTP/2 library. It does not tell when that frame is sent. A peer that keeps the window of
/// the stream closed then holds what is left: at most the 64 KiB of the stream and one frame, for as many
/// streams as a connection may have. They end with the connection, which is idle then.
///
/// A request over HTTP/1.1 with both `Content-Length` and `Transfer-Encoding` is 400. Bodies have
/// no limit: neither of their size nor of their time, while the peer reads.
///
/// The extensions of each request have the [`PeerAddr`](crate::client::PeerAddr) of a TCP peer, and
/// [`OverTls`] if the connection is encrypted. Those of an upgrade also have the
/// [`Connection`](crate::enforce::Connection) that ends with its token: no
/// [`Abortable`](crate::enforce::Abortable) is needed.
///
/// ```
/// use std::convert::Infallible;
/// use hyper::{Request, Response, body::Incoming};
/// use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}};
/// use tower::service_fn;
/// use tower_revocation::proxy::server::Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let service = service_fn(async |_: Request<Incoming>| {
///     Ok::<_, Infallible>(Response::new("hello".to_owned()))
/// });
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let served = Server::new().serve(listener, service, async { drop(stopped.await) });
/// let served = tokio::spawn(served);
///
/// let mut client = TcpStream::connect(address).await?;
/// client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await?;
/// let mut response = String::new();
/// client.read_to_string(&mut response).await?;
/// assert!(response.ends_with("\r\n\r\nhello"));
///
/// drop(stop);
/// served.await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a server does nothing until it serves"]
pub struct Server {
    tls: Option<ServerTls>,
    max_connections: usize,
    max_connections_per_address: usize,
    max_streams: u32,
    max_resets: u64,
    trusted: TrustedPeers,
    max_fields: usize,
    max_head: usize,
    head_timeout: Duration,
    idle_timeout: Duration,
    write_timeout: Duration,
    shutdown_timeout: Duration,
}

/// In the extensions of requests that came over TLS to a [`Server`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverTls;

impl Server {
    /// Creates a server without TLS and with the default limits.
    pub fn new() -> Self {
        Self {
            tls: None,
            max_connections: 32_768,
            max_connections_per_address: 4096,
            max_streams: 200,
            max_resets: 100,
            trusted: TrustedPeers::default(),
            max_fields: 100,
            max_head: 16 * 1024,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
            shutdown_timeout: Duration::from_secs(10),
        }
    }

    /// Serves over TLS only. Keep a clone of `tls` to replace the certificate.
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Limits the connections, upgraded ones included. Defaults to 32,768. Each needs a file
    /// descriptor, and one more if its request is forwarded.
    ///
    /// Beyond it, new connections wait. While one waits, the connections are closed that have been
    /// without a request for the longest time and at least one second: one at a time, or one in 64 if
    /// there are more. HTTP/2 peers get `GOAWAY`. What a peer has not read of its last response may take
    /// 5 s more.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Limits the connections of one address. Defaults to 4,096, so that it takes several addresses to
    /// use up all. An IPv6 subscriber has a /64, which counts as one address. Peers on a Unix socket
    /// have none, and [trusted peers](Self::trusted_peers) no limit of their own.
    pub fn max_connections_per_address(mut self, connections: usize) -> Self {
        self.max_connections_per_address = connections;
        self
    }

    /// Limits the streams of one HTTP/2 connection at once. Defaults to 200.
    pub fn max_streams(mut self, streams: u32) -> Self {
        self.max_streams = streams;
        self
    }

    /// Closes a connection whose HTTP/2 peer has reset more than `resets` streams before their responses,
    /// and more than have had a response. Defaults to 100. Each costs work, and [`max_streams`](Self::max_streams) does not count them.
    pub fn max_resets(mut self, resets: u64) -> Self {
        self.max_resets = resets;
        self
    }

    /// The peers to which the limits of resets and of connections of one address do not apply. Defaults to
    /// none. Keep a clone to replace them.
    ///
    /// They are for a proxy: it has the connections of all its clients, and resets a stream whenever one of
    /// them gives up or a time-out ends. **Every client that can connect from such an address can flood the
    /// server.**
    pub fn trusted_peers(mut self, trusted: TrustedPeers) -> Self {
        self.trusted = trusted;
        self
    }

    fn is_trusted(&self, peer: Option<SocketAddr>) -> bool {
        self.trusted.contain(peer)
    }

    fn max_resets_of(&self, peer: Option<SocketAddr>) -> u64 {
        if self.is_trusted(peer) {
            u64::MAX
        } else {
            self.max_resets
        }
    }

    /// Limits the number of header fields over HTTP/1.1. Defaults to 100.
    pub fn max_fields(mut self, fields: usize) -> Self {
        self.max_fields = fields;
        self
    }

    /// Limits the size of the head of a request, in bytes. Defaults to 16 KiB.
    pub fn max_head(mut self, bytes: usize) -> Self {
        self.max_head = bytes;
        self
    }

    /// Limits the time for the TLS handshake and the first bytes of a connection, and for the head of
    /// a request after its first byte. Defaults to 10 s.
    pub fn head_timeout(mut self, timeout: Duration) -> Self {
        self.head_timeout = timeout;
        self
    }

    /// Limits the time between the end of a response and the next request. Defaults to 60 s.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Limits the time in which a peer reads nothing although there is something to read. Defaults
    /// to 60 s.
    ///
    /// A stream of HTTP/2 is reset if its peer makes no room for the next frame of the body within this
    /// time. Streams share the connection: if a peer loads many large responses over a slow link, each
    /// waits for its turn, so choose a longer time for such peers. A response whose last frame has been
    /// handed over ends with the connection, at [`idle_timeout`](Self::idle_timeout).
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout;
        self
    }

    /// Limits the time for requests in progress after the start of a shutdown. Defaults to 10 s.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Serves connections until `shutdown` is ready, and then those that are open.
    ///
    /// After `shutdown` it accepts no connections. HTTP/2 peers get `GOAWAY`, idle connections are
    /// closed, and responses in progress may end until the
    /// [limit](Self::shutdown_timeout). What is open then, such as an event stream or a WebSocket
    /// through a [`ReverseProxy`](super::ReverseProxy), is cut.
    ///
    /// Dropping the future closes the listener. Open connections are then cut.
    pub async fn serve<S, B>(
        self,
        listener: impl Into<Listener>,
        service: S,
        shutdown: impl Future<Output = ()>,
    ) where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let timeout = self.shutdown_timeout;
        let accepting = Accepting::new(self, listener.into());
        tokio::select! {
            never = accepting.accept(&service) => match never {},
            () = shutdown => {}
        }
        accepting.stop(timeout).await;
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}
