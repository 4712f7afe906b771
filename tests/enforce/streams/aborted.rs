//! A server of hyper-util whose connections end with their token.

use axum::{Extension, Router};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tower::Layer as _;
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
