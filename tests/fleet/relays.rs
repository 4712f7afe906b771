//! A process that serves the log over HTTP, and ends without a farewell.

use std::{env, fs, process::Command, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    runtime::{Builder, Runtime},
    sync::oneshot,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tower::ServiceExt as _;
use tower_revocation::{
    client::certificate::ClientCertificate,
    log::{EmbeddedLog, FeedService, FeedSource, FleetLog},
};

use crate::{nodes::LEASE, port::free_port};

/// Names the file with the token, of those that serve and of those that follow.
const TOKEN_FILE: &str = "TOWER_REVOCATION_PASSWORD_FILE";

/// A runtime of its own: nothing of it goes on when it ends.
pub(crate) struct Relay {
    port: u16,
    runtime: Option<Runtime>,
}

impl Relay {
    /// Serves the log at a URL to those who send the token, at a port.
    pub(crate) async fn start(url: &str, port: u16) -> Self {
        Self::start_with_lease(url, port, LEASE).await
    }

    pub(crate) async fn start_with_lease(url: &str, port: u16, lease: Duration) -> Self {
        Self::serve(connect(url, lease), port, None).await
    }

    /// Serves a file.
    pub(crate) async fn start_on_file(log: &EmbeddedLog, port: u16) -> Self {
        let source = FeedSource::from(log);
        Self::serve(async { source }, port, None).await
    }

    /// Serves it by TLS to those who show a certificate.
    pub(crate) async fn start_with_tls(url: &str, config: ServerConfig) -> Self {
        let tls = Arc::new(config).into();
        Self::serve(connect(url, LEASE), free_port(), Some(tls)).await
    }

    async fn serve(
        source: impl Future<Output = FeedSource> + Send + 'static,
        port: u16,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().unwrap();
        let (bound, listens) = oneshot::channel();
        runtime.spawn(async move {
            let source = source.await;
            let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
            bound.send(()).unwrap();
            accept(listener, source, tls).await;
        });
        listens.await.expect("the relay starts");
        Self {
            port,
            runtime: Some(runtime),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/feed", self.port)
    }

    /// Ends at once: its connections break, and it does not leave the fleet.
    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.kill();
    }
}

fn connect(url: &str, lease: Duration) -> impl Future<Output = FeedSource> + Send + use<> {
    let builder = FleetLog::builder(url).lease(lease);
    async move {
        let log = builder.connect().await.expect("what it follows answers");
        FeedSource::from(&log)
    }
}

async fn accept(listener: TcpListener, source: FeedSource, tls: Option<TlsAcceptor>) {
    let Some(tls) = tls else {
        let tokens = env::var_os(TOKEN_FILE).expect("the test has a token");
        let feed = FeedService::with_token_file(source, tokens).unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve_connection(stream, feed.clone(), None));
        }
    };
    let feed = FeedService::authorized_by(source, |request| {
        let certificate = request.extensions.get::<ClientCertificate>()?;
        Some(certificate.thumbprint())
    });
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (tls, feed) = (tls.clone(), feed.clone());
        tokio::spawn(async move {
            // Who does not trust this server goes away.
            let Ok(stream) = tls.accept(stream).await else {
                return;
            };
            let shown = stream.get_ref().1.peer_certificates();
            let shown = shown.and_then(|chain| ClientCertificate::verified(chain[0].as_ref()).ok());
            serve_connection(stream, feed, shown).await;
        });
    }
}

async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    feed: FeedService,
    shown: Option<ClientCertificate>,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(shown) = shown.clone() {
            request.extensions_mut().insert(shown);
        }
        feed.clone().oneshot(request)
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = connection.await;
}

/// Whether this process has a token. If not, runs the test in one that has, as the variables of a
/// running process cannot be changed safely.
pub(crate) fn has_token(test: &str) -> bool {
    if env::var_os(TOKEN_FILE).is_some() {
        return true;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "a-token-that-nobody-can-guess\n").unwrap();
    let status = with_the_token(test).env(TOKEN_FILE, file).status();
    assert!(status.unwrap().success());
    false
}

/// A process that runs one test, with the token of this one.
pub(crate) fn with_the_token(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    command
}
