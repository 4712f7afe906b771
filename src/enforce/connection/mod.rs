//! Connections that were handed over to another protocol, for as long as the token lives.

#[cfg(test)]
mod tests;

use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures::task::AtomicWaker;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{End, life::TokenLife, watch::Watch};

pin_project! {
    /// An accepted connection that ends with the token that it was upgraded by.
    ///
    /// The layer can cut the bodies of responses, but a WebSocket over HTTP/1.1 (or a `CONNECT`)
    /// has none: hyper hands over the connection itself. So wrap what you accept, and let every
    /// request carry its [`handle`](Self::handle):
    ///
    /// ```
    /// use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
    /// use hyper_util::rt::TokioIo;
    /// use tower::{Service, ServiceExt};
    /// use tower_revocation::enforce::Abortable;
    ///
    /// # async fn accept<S, B>(listener: tokio::net::TcpListener, enforced: S) -> std::io::Result<()>
    /// # where
    /// #     S: Service<Request<Incoming>, Response = hyper::Response<B>>,
    /// #     S: Clone + Send + 'static,
    /// #     S::Error: Into<tower::BoxError>,
    /// #     S::Future: Send,
    /// #     B: hyper::body::Body<Data = bytes::Bytes, Error: Into<tower::BoxError>>,
    /// #     B: Send + 'static,
    /// # {
    /// loop {
    ///     let (tcp, _) = listener.accept().await?;
    ///     let io = Abortable::new(tcp);
    ///     let connection = io.handle();
    ///     let enforced = enforced.clone();
    ///     let service = service_fn(move |mut request: Request<Incoming>| {
    ///         request.extensions_mut().insert(connection.clone());
    ///         enforced.clone().oneshot(request)
    ///     });
    ///     let served = http1::Builder::new().serve_connection(TokioIo::new(io), service);
    ///     tokio::spawn(served.with_upgrades());
    /// }
    /// # }
    /// ```
    ///
    /// Once the token is over, reads and writes fail with
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted), and pending ones are woken to.
    /// Nothing goes through any more; the connection is closed by whoever holds it, as after any
    /// other error.
    ///
    /// With `axum::serve` it is the `Io` of a `Listener` of your own, and the service that makes
    /// services finds it in each `IncomingStream`.
    ///
    /// gRPC needs none of this: its streams are bodies of responses. Nor does anything that is not
    /// upgraded.
    ///
    /// Without a handle in the extensions, upgraded connections live on. Their handlers then have
    /// to wait for the end of a [`TokenLife`] by themselves; so do those of an HTTP/2 `CONNECT`,
    /// which has a stream of a connection that others share.
    pub struct Abortable<T> {
        #[pin]
        io: T,
        connection: Connection,
        reads: Direction,
        writes: Direction,
    }
}

/// The handle of an [`Abortable`] connection. It belongs into the extensions of each of its
/// requests, before they come to the layer.
///
/// With `axum::serve`, a listener wraps what it accepts, and a layer around the whole application
/// takes the handle out of axum's `ConnectInfo`:
///
/// ```
/// use std::{io, net::SocketAddr};
/// use axum::{
///     Router,
///     extract::{ConnectInfo, Request, connect_info::Connected},
///     serve::{IncomingStream, Listener},
/// };
/// use tokio::net::{TcpListener, TcpStream};
/// use tower::{Layer, util::MapRequestLayer};
/// use tower_revocation::enforce::{Connection, Abortable};
///
/// struct AbortableListener(TcpListener);
///
/// impl Listener for AbortableListener {
///     type Io = Abortable<TcpStream>;
///     type Addr = SocketAddr;
///
///     async fn accept(&mut self) -> (Self::Io, SocketAddr) {
///         let (tcp, addr) = Listener::accept(&mut self.0).await;
///         (Abortable::new(tcp), addr)
///     }
///
///     fn local_addr(&self) -> io::Result<SocketAddr> {
///         self.0.local_addr()
///     }
/// }
///
/// #[derive(Clone)]
/// struct Accepted(Connection);
///
/// impl Connected<IncomingStream<'_, AbortableListener>> for Accepted {
///     fn connect_info(stream: IncomingStream<'_, AbortableListener>) -> Self {
///         Self(stream.io().handle())
///     }
/// }
///
/// fn handle_out(mut request: Request) -> Request {
///     if let Some(ConnectInfo(Accepted(connection))) = request.extensions().get().cloned() {
///         request.extensions_mut().insert::<Connection>(connection);
///     }
///     request
/// }
///
/// # async fn serve(listener: TcpListener, enforced: Router) -> io::Result<()> {
/// let app = Router::new().fallback_service(MapRequestLayer::new(handle_out).layer(enforced));
/// let app = app.into_make_service_with_connect_info::<Accepted>();
/// axum::serve(AbortableListener(listener), app).await
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Connection(Arc<Tokens>);

/// The tokens that a connection depends on.
#[derive(Default)]
struct Tokens {
    /// There is one, unless somebody in front of the layer turned an upgrade down.
    watches: Mutex<Vec<Watch>>,
    len: AtomicUsize,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

/// Reader and writer may be two tasks: each has clones of its own.
#[derive(Default)]
struct Direction(Vec<Watch>);

impl<T> Abortable<T> {
    /// Wraps what was accepted: before TLS or after it.
    pub fn new(io: T) -> Self {
        Self {
            io,
            connection: Connection::default(),
            reads: Direction::default(),
            writes: Direction::default(),
        }
    }

    /// For the extensions of the requests of this connection.
    #[must_use]
    pub fn handle(&self) -> Connection {
        self.connection.clone()
    }

    /// What was wrapped.
    pub fn get_ref(&self) -> &T {
        &self.io
    }
}

impl Connection {
    /// From here on the connection ends when the token does.
    pub(crate) fn abort_with(&self, life: &TokenLife) {
        let Some(watch) = life.watch() else {
            return;
        };
        let Tokens {
            watches,
            len,
            reader,
            writer,
        } = &*self.0;
        let mut watches = watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.push(watch.clone());
        len.store(watches.len(), Ordering::Release);
        drop(watches);
        // Whoever waits already has to wait for this as well.
        reader.wake();
        writer.wake();
    }
}

impl Tokens {
    fn is_known_to(&self, direction: &Direction) -> bool {
        self.len.load(Ordering::Acquire) == direction.0.len()
    }
}

impl Direction {
    /// Whether a token is over. An error if one is.
    fn check(&mut self, tokens: &Tokens) -> io::Result<()> {
        if !tokens.is_known_to(self) {
            let watches = tokens.watches.lock();
            let watches = watches.unwrap_or_else(PoisonError::into_inner);
            self.0.extend(watches[self.0.len()..].iter().cloned());
        }
        match self.0.iter().find_map(Watch::ended) {
            Some(end) => Err(aborted(end)),
            None => Ok(()),
        }
    }

    /// Nothing can be read or written now: waits for the end of a token too.
    fn wait<R>(
        &mut self,
        tokens: &Tokens,
        waker: &AtomicWaker,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<R>> {
        waker.register(cx.waker());
        // Either the one who comes with a token finds the waker, or it is found here.
        self.check(tokens)?;
        for watch in &mut self.0 {
            if let Poll::Ready(end) = watch.poll_ended(cx) {
                return Poll::Ready(Err(aborted(end)));
            }
        }
        Poll::Pending
    }
}

fn aborted(end: End) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, end)
}

impl<T: AsyncRead> AsyncRead for Abortable<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        let tokens = &*this.connection.0;
        this.reads.check(tokens)?;
        match this.io.poll_read(cx, buf) {
            Poll::Pending => this.reads.wait(tokens, &tokens.reader, cx),
            ready @ Poll::Ready(_) => ready,
        }
    }
}

impl<T: AsyncWrite> Abortable<T> {
    /// Something that a writer does.
    fn poll_write_side<R>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut T>, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        let this = self.project();
        let tokens = &*this.connection.0;
        this.writes.check(tokens)?;
        match poll(this.io, cx) {
            Poll::Pending => this.writes.wait(tokens, &tokens.writer, cx),
            ready @ Poll::Ready(_) => ready,
        }
    }
}

impl<T: AsyncWrite> AsyncWrite for Abortable<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_side(cx, |io, cx| io.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_side(cx, T::poll_flush)
    }

    /// Always as the connection does it: to close is what is wanted.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_side(cx, |io, cx| io.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

impl<T: fmt::Debug> fmt::Debug for Abortable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Abortable").field(&self.io).finish()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens = self.0.len.load(Ordering::Relaxed);
        f.debug_struct("Connection")
            .field("tokens", &tokens)
            .finish()
    }
}
