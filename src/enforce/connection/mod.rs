//! Connections that were handed over to another protocol end with the token.

mod abortable;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::task::AtomicWaker;

pub use self::abortable::Abortable;
use super::watch::Watch;

/// The handle of an [`Abortable`] connection. Put it into the extensions of each request of the
/// connection, before the request reaches the layer.
///
/// With `axum::serve`, a listener wraps the connections that it accepts, and a layer around the
/// whole application takes the handle from axum's `ConnectInfo`:
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
/// fn with_handle(mut request: Request) -> Request {
///     if let Some(ConnectInfo(Accepted(connection))) = request.extensions().get().cloned() {
///         request.extensions_mut().insert::<Connection>(connection);
///     }
///     request
/// }
///
/// # async fn serve(listener: TcpListener, enforced: Router) -> io::Result<()> {
/// let app = Router::new().fallback_service(MapRequestLayer::new(with_handle).layer(enforced));
/// let app = app.into_make_service_with_connect_info::<Accepted>();
/// axum::serve(AbortableListener(listener), app).await
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Connection(Arc<Tokens>);

/// The tokens that a connection depends on.
#[derive(Default)]
struct Tokens {
    /// Usually one. More if an outer layer refused an upgrade before.
    watches: Mutex<Vec<Watch>>,
    len: AtomicUsize,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Connection {
    /// From now on the connection also ends with the token of this watch.
    pub(crate) fn abort_with(&self, watch: Watch) {
        let Tokens {
            watches,
            len,
            reader,
            writer,
        } = &*self.0;
        let mut watches = watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.push(watch);
        len.store(watches.len(), Ordering::Release);
        drop(watches);
        // A task that waits already has to wait for this token as well.
        reader.wake();
        writer.wake();
    }
}

impl Tokens {
    /// Adds the watches that `known` lacks.
    fn update(&self, known: &mut Vec<Watch>) {
        if self.len.load(Ordering::Acquire) != known.len() {
            let watches = self.watches.lock();
            let watches = watches.unwrap_or_else(PoisonError::into_inner);
            known.extend(watches[known.len()..].iter().cloned());
        }
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
