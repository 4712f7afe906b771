//! Opens connections to an API, with TLS or without.

use std::{
    future::Future,
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::ClientConfig;
use tokio::{net::TcpStream, time::timeout};
use tower::{BoxError, Service, ServiceExt as _};

use super::{Upstream, connection::Limited};

/// Opens connections of one kind to the API, in a limited time.
#[derive(Clone)]
pub(in crate::proxy) struct Connector(Arc<Parts>);

/// In one piece: the client clones its connector for each request.
struct Parts {
    kind: Kind,
    api: Uri,
    connect_timeout: Duration,
    write_timeout: Duration,
}

#[derive(Clone)]
enum Kind {
    Plain(HttpConnector),
    Encrypted(HttpsConnector<HttpConnector>),
}

/// By how much longer an API may read nothing than a request waits for it. The request then fails first,
/// with the right status.
const LATER: Duration = Duration::from_secs(1);

impl Connector {
    pub(super) fn plain(http: HttpConnector, upstream: &Upstream) -> Self {
        Self::new(Kind::Plain(http), upstream)
    }

    /// With TLS, and with HTTP/2 if the API offers it and `http2` is set.
    pub(super) fn encrypted(
        mut http: HttpConnector,
        config: ClientConfig,
        http2: bool,
        upstream: &Upstream,
    ) -> Self {
        http.enforce_http(false);
        let builder = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1();
        let connector = if http2 {
            builder.enable_http2().wrap_connector(http)
        } else {
            builder.wrap_connector(http)
        };
        Self::new(Kind::Encrypted(connector), upstream)
    }

    fn new(kind: Kind, upstream: &Upstream) -> Self {
        Self(Arc::new(Parts {
            kind,
            api: upstream.base.uri().clone(),
            connect_timeout: upstream.connect_timeout,
            write_timeout: upstream.head_timeout.saturating_add(LATER),
        }))
    }
}

impl Service<Uri> for Connector {
    type Response = Limited<MaybeHttpsStream<TokioIo<TcpStream>>>;
    type Error = BoxError;
    // One allocation for a connection, not for a request.
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    /// Always ready: the future waits for the connector inside.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    /// Connects to the API. The URL of a request may have a short name as its host.
    fn call(&mut self, _: Uri) -> Self::Future {
        let parts = &*self.0;
        let (connect, write) = (parts.connect_timeout, parts.write_timeout);
        let uri = parts.api.clone();
        match parts.kind.clone() {
            Kind::Plain(http) => {
                let connecting = http.oneshot(uri);
                let connecting = async { Ok(MaybeHttpsStream::Http(connecting.await?)) };
                Box::pin(limited(connecting, connect, write))
            }
            Kind::Encrypted(https) => Box::pin(limited(https.oneshot(uri), connect, write)),
        }
    }
}

/// The connector of TCP has a time-out of its own, and that of TLS has none.
async fn limited<T>(
    connecting: impl Future<Output = Result<T, BoxError>>,
    connect_timeout: Duration,
    write_timeout: Duration,
) -> Result<Limited<T>, BoxError> {
    let connected = timeout(connect_timeout, connecting).await;
    let connected = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
    Ok(Limited::new(connected?, write_timeout))
}
