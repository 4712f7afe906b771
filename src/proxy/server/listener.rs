//! TCP and Unix sockets.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

#[cfg(unix)]
use super::refused_users::RefusedUsers;

/// Where a [`Server`](super::Server) listens: a TCP or a Unix socket.
#[derive(Debug)]
pub struct Listener(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        listener: UnixListener,
        /// `None`: everybody who can open the socket.
        users: Option<Vec<u32>>,
        refused: RefusedUsers,
    },
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self(Kind::Tcp(listener))
    }
}

#[cfg(unix)]
impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Self(Kind::Unix {
            listener,
            users: None,
            refused: RefusedUsers::default(),
        })
    }
}

impl Listener {
    /// Serves only processes of these users on a Unix socket, by their user identifiers. Others are
    /// disconnected, and a warning names the user, at most once a minute. By default everybody is
    /// served who can open the socket, which depends on the mode of its file and of its folder. Does
    /// nothing for TCP.
    ///
    /// ```no_run
    /// use tokio::net::UnixListener;
    /// use tower_revocation::proxy::server::Listener;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let listener = UnixListener::bind("/run/app/admin.sock")?;
    /// // root, and one other user.
    /// let listener = Listener::from(listener).only_users([0, 1000]);
    /// # drop(listener);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(unix)]
    #[must_use]
    pub fn only_users(mut self, identifiers: impl IntoIterator<Item = u32>) -> Self {
        if let Kind::Unix { users, .. } = &mut self.0 {
            *users = Some(identifiers.into_iter().collect());
        }
        self
    }

    /// The next connection, and the address of its peer, if it has one.
    pub(super) async fn accept(&self) -> io::Result<(Socket, Option<SocketAddr>)> {
        match &self.0 {
            Kind::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // A response is written in one piece, or is a stream whose parts should not wait.
                let _ = stream.set_nodelay(true);
                keep_alive(&stream);
                Ok((Socket::Tcp(stream), Some(peer)))
            }
            #[cfg(unix)]
            Kind::Unix {
                listener,
                users,
                refused,
            } => loop {
                let (stream, _) = listener.accept().await?;
                let Some(users) = users else {
                    return Ok((Socket::Unix(stream), None));
                };
                let user = user_of(&stream);
                if user.is_some_and(|user| users.contains(&user)) {
                    return Ok((Socket::Unix(stream), None));
                }
                refused.note(user);
            },
        }
    }
}

/// The user of the process at the other end. `None` if the system does not know it.
#[cfg(unix)]
fn user_of(stream: &UnixStream) -> Option<u32> {
    stream.peer_cred().map(|peer| peer.uid()).ok()
}

/// Lets the system find out that a silent peer has disappeared, such as that of a WebSocket. The
/// connection works without it too.
#[cfg(target_os = "linux")]
fn keep_alive(stream: &TcpStream) {
    use rustix::net::sockopt;

    let _ = sockopt::set_tcp_keepidle(stream, KEEP_ALIVE);
    let _ = sockopt::set_tcp_keepintvl(stream, KEEP_ALIVE / 4);
    let _ = sockopt::set_socket_keepalive(stream, true);
}

#[cfg(not(target_os = "linux"))]
fn keep_alive(_: &TcpStream) {}

/// The time without a byte after which the system asks whether the peer is there.
#[cfg(target_os = "linux")]
const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(60);

/// An accepted connection.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Calls the same method of either socket.
macro_rules! either {
    ($socket:expr, $stream:ident => $call:expr) => {
        match $socket.get_mut() {
            Socket::Tcp(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            #[cfg(unix)]
            Socket::Unix(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            #[cfg(unix)]
            Self::Unix(stream) => stream.is_write_vectored(),
        }
    }
}
