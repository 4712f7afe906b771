//! A connection that does not wait for a slow peer for ever.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    Server,
    heads::{Heads, Switched},
    limits::Permit,
    requests::Requests,
};
use crate::proxy::timer::Timer;

/// An accepted connection. It has its permit until it is dropped, also after an upgrade.
pub(super) struct Guarded<T> {
    io: T,
    /// Bytes that were read to recognise the version of HTTP.
    first: Vec<u8>,
    /// Only for HTTP/1.1.
    heads: Option<Heads>,
    head: Timer,
    write: Timer,
    requests: Requests,
    _permit: Permit,
}

impl<T> Guarded<T> {
    pub(super) fn new(
        io: T,
        server: &Server,
        is_http2: bool,
        mut first: Vec<u8>,
        requests: Requests,
        permit: Permit,
    ) -> Self {
        let mut heads = (!is_http2).then(Heads::new);
        if let Some(heads) = &mut heads {
            heads.read(&mut first);
        }
        Self {
            io,
            first,
            heads,
            head: Timer::new(server.head_timeout),
            write: Timer::new(server.write_timeout),
            requests,
            _permit: permit,
        }
    }

    /// A handle to say that the connection is no longer HTTP/1.1.
    pub(super) fn switched(&self) -> Switched {
        let heads = self.heads.as_ref();
        heads.map(Heads::switched).unwrap_or_default()
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.first.is_empty() {
            let len = this.first.len().min(buf.remaining());
            buf.put_slice(&this.first[..len]);
            this.first.drain(..len);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.io).poll_read(cx, buf);
        let Some(heads) = &mut this.heads else {
            return polled;
        };
        if polled.is_ready() {
            heads.read(&mut buf.filled_mut()[before..]);
        }
        if !heads.is_within_head() {
            this.head.stop();
        } else if let timed_out @ Poll::Ready(_) = this.head.poll(cx) {
            // Each byte of a slow head does not start the time again.
            return timed_out;
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> Guarded<T> {
    /// Runs one operation of the writer, for a limited time.
    fn poll_write_side<R>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut T>, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        let this = self.get_mut();
        match poll(Pin::new(&mut this.io), cx) {
            Poll::Pending => {
                this.requests.is_writing(true);
                this.write.poll(cx)
            }
            ready @ Poll::Ready(_) => {
                this.requests.is_writing(false);
                this.write.stop();
                ready
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
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

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_side(cx, T::poll_shutdown)
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

impl<T: fmt::Debug> fmt::Debug for Guarded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guarded").field(&self.io).finish()
    }
}
