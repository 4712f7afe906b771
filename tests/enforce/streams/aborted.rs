//! Servers of hyper-util and of axum whose connections end with their token.

use std::{convert::Infallible, net::SocketAddr};

use axum::{
    Extension, Router,
    serve::{IncomingStream, Listener},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer as _, service_fn};
use tower_revocation::enforce::Abortable;

async fn bind() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    (listener, authority)
}

/// Serves HTTP/1.1 and HTTP/2.
pub(crate) async fn by_hyper_util(app: Router) -> String {
    let (listener, authority) = bind().await;
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let io = Abortable::new(tcp);
            let app = Extension(io.handle()).layer(app.clone());
            let service = TowerToHyperService::new(app);
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                server
                    .serve_connection_with_upgrades(TokioIo::new(io), service)
                    .await
            });
        }
    });
    authority
}

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

pub(crate) async fn by_axum(app: Router) -> String {
    let (listener, authority) = bind().await;
    let for_each = service_fn(move |incoming: IncomingStream<'_, Aborting>| {
        let app = Extension(incoming.io().handle()).layer(app.clone());
        std::future::ready(Ok::<_, Infallible>(app))
    });
    tokio::spawn(axum::serve(Aborting(listener), for_each).into_future());
    authority
}
