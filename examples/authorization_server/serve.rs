//! Connections, until a signal says that it is enough.

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

/// How long requests in flight may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);
/// How long a connection may be without a request on it.
const IDLE: Duration = Duration::from_secs(10);

/// SIGTERM and SIGINT.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on they no longer end the process by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Somebody insists.
    pub(crate) async fn twice(&mut self) {
        self.next().await;
        self.next().await;
    }

    /// The next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Serves HTTP/1 on one port, and within TLS on another, until the first signal: no new connections
/// then, and a while for requests in flight.
pub(crate) async fn serve<S, B>(
    plain: TcpListener,
    tls: Option<(TcpListener, Tls)>,
    app: S,
    signals: &mut Signals,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Error: Into<BoxError>, Data: Send> + Send + 'static,
{
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(IDLE);
    let graceful = GracefulShutdown::new();
    let (within_tls, tls) = tls.unzip();

    loop {
        let accepted = tokio::select! {
            accepted = plain.accept() => accepted.map(|accepted| (accepted, None)),
            accepted = accept(within_tls.as_ref()) => accepted.map(|accepted| (accepted, tls.clone())),
            () = signals.next() => break,
        };
        let ((stream, peer), tls) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, perhaps: others may free some.
                tracing::warn!(%error, "accepting");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (server, app, watcher) = (server.clone(), app.clone(), graceful.watcher());
        tokio::spawn(async move {
            let served = match tls {
                None => {
                    let service = TowerToHyperService::new(known(app, peer, None));
                    let connection = server.serve_connection(TokioIo::new(stream), service);
                    watcher.watch(connection).await
                }
                Some(tls) => match tls.accept(stream).await {
                    Ok((stream, certificate)) => {
                        let service = TowerToHyperService::new(known(app, peer, certificate));
                        let connection = server.serve_connection(TokioIo::new(stream), service);
                        watcher.watch(connection).await
                    }
                    Err(error) => return tracing::debug!(%error, "handshake"),
                },
            };
            if let Err(error) = served {
                tracing::debug!(%error, "connection");
            }
        });
    }

    drop((plain, within_tls));
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(GRACE) => tracing::warn!("requests in flight were cut off"),
    }
}

/// The next connection, if there is anything to accept it.
async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// The app, which is told of each request who sent it.
fn known<S>(
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
