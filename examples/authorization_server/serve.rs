//! Accepts connections and serves them, until a signal stops the server.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use axum::http::{Request, Response};
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{Signal, SignalKind, signal},
};
use tower::{BoxError, Service, ServiceExt as _};
use tower_revocation::client::{PeerAddr, certificate::ClientCertificate};

use crate::tls::Tls;

/// How long requests in flight may take after the signal.
const GRACE: Duration = Duration::from_secs(10);
/// How long a connection may be idle.
const IDLE: Duration = Duration::from_secs(10);

/// SIGTERM and SIGINT.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes over the signals. From now on they do not end the process by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one signal.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Serves HTTP/1 on one port, and HTTP/1 over TLS on another, until a signal. Then closes the ports
/// and returns the connections.
pub(crate) async fn serve<S, B>(
    plain: TcpListener,
    tls: Option<(TcpListener, Tls)>,
    app: S,
    signals: &mut Signals,
) -> GracefulShutdown
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Error: Into<BoxError>, Data: Send> + Send + 'static,
{
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(IDLE);
    let graceful = GracefulShutdown::new();
    let (tls_listener, tls) = tls.unzip();

    loop {
        let accepted = tokio::select! {
            accepted = plain.accept() => accepted.map(|accepted| (accepted, None)),
            accepted = accept(tls_listener.as_ref()) => accepted.map(|accepted| (accepted, tls.clone())),
            () = signals.next() => break,
        };
        let ((stream, peer), tls) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Perhaps there are no file descriptors left. Other connections may free some.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (server, app, watcher) = (server.clone(), app.clone(), graceful.watcher());
        tokio::spawn(async move {
            let ended = match tls {
                None => {
                    let service = TowerToHyperService::new(with_peer(app, peer, None));
                    let connection = server.serve_connection(TokioIo::new(stream), service);
                    watcher.watch(connection).await
                }
                Some(tls) => match tls.accept(stream).await {
                    Ok((stream, certificate)) => {
                        let service = TowerToHyperService::new(with_peer(app, peer, certificate));
                        let connection = server.serve_connection(TokioIo::new(stream), service);
                        watcher.watch(connection).await
                    }
                    Err(error) => return tracing::debug!(%error, "the TLS handshake failed"),
                },
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "the connection failed");
            }
        });
    }

    graceful
}

/// Waits for the requests in flight, but not forever.
pub(crate) async fn shut_down(connections: GracefulShutdown) {
    tokio::select! {
        () = connections.shutdown() => {}
        () = tokio::time::sleep(GRACE) => tracing::warn!("cut requests in flight"),
    }
}

/// The next connection. Without a listener, waits forever.
async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// Adds the peer's address and certificate to the extensions of each request.
fn with_peer<S>(
    app: S,
    peer: SocketAddr,
    certificate: Option<ClientCertificate>,
) -> impl Service<Request<Incoming>, Response = S::Response, Error = S::Error, Future = S::Future> + Clone
where
    S: Service<Request<Incoming>> + Clone,
{
    app.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(PeerAddr(peer));
        if let Some(certificate) = &certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        request
    })
}
