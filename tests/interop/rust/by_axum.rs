//! An axum server whose connections end with their token.

use std::{convert::Infallible, net::SocketAddr};

use axum::{
    Extension, Router,
    serve::{IncomingStream, Listener},
};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer as _, service_fn};
use tower_revocation::enforce::Abortable;

/// Accepts connections that can be aborted.
struct Aborting(TcpListener);

impl Listener for Aborting {
    type Io = Abortable<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (tcp, peer) = Listener::accept(&mut self.0).await;
        (Abortable::new(tcp), peer)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

pub(crate) async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let for_each = service_fn(move |incoming: IncomingStream<'_, Aborting>| {
        let app = Extension(incoming.io().handle()).layer(app.clone());
        std::future::ready(Ok::<_, Infallible>(app))
    });
    tokio::spawn(axum::serve(Aborting(listener), for_each).into_future());
    authority
}
