//! An accepted connection that ends with a token.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use futures::task::AtomicWaker;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Connection, Tokens};
use crate::enforce::{End, watch::Watch};

pin_project! {
    /// An accepted connection that ends with the token of the request that upgraded it.
    ///
    /// The layer can cut the body of a response, but a WebSocket over HTTP/1.1 (or a `CONNECT`) has
    /// none: hyper hands over the connection itself. So wrap every connection that you accept, and
    /// put its [`handle`](Self::handle) into the extensions of every request:
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
    /// When the token ends, reads and writes fail with
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted), and pending ones are woken. Nothing
    /// passes any more. The handler closes the connection, as after any other error.
    ///
    /// With `axum::serve`, use it as the `Io` of your own `Listener`: see [`Connection`].
    ///
    /// gRPC does not need it, because its streams are bodies of responses. Connections that are not
    /// upgraded do not need it either.
    ///
    /// Without a handle in the extensions, an upgraded connection stays open after its token ends.
    /// Its handler then has to wait for the end of a [`TokenLife`](crate::enforce::TokenLife). So
    /// does the handler of an HTTP/2 `CONNECT`, which has one stream of a shared connection.
    pub struct Abortable<T> {
        #[pin]
        io: T,
        connection: Connection,
        reads: Direction,
        writes: Direction,
    }
}

/// Reading or writing. These may be two tasks, so each has its own clones of the watches.
#[derive(Default)]
struct Direction(Vec<Watch>);

impl<T> Abortable<T> {
    /// Wraps an accepted connection, before or after TLS.
    pub fn new(io: T) -> Self {
        Self {
            io,
            connection: Connection::default(),
            reads: Direction::default(),
            writes: Direction::default(),
        }
    }

    /// The handle, for the extensions of the requests of this connection.
    #[must_use]
    pub fn handle(&self) -> Connection {
        self.connection.clone()
    }

    /// Returns a reference to the wrapped connection.
    pub fn get_ref(&self) -> &T {
        &self.io
    }
}

impl Direction {
    /// Fails if a token has ended.
    fn check(&mut self, tokens: &Tokens) -> io::Result<()> {
        tokens.update(&mut self.0);
        match self.0.iter().find_map(Watch::ended) {
            Some(end) => Err(aborted(end)),
            None => Ok(()),
        }
    }

    /// Nothing can be read or written now, so this also waits for the end of a token.
    fn wait<R>(
        &mut self,
        tokens: &Tokens,
        waker: &AtomicWaker,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<R>> {
        waker.register(cx.waker());
        // Either `abort_with` finds this waker, or this check finds its token.
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
    /// Runs one operation of the writer.
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

    /// Always passes, because the connection should close.
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
