//! Opens connections to an API, with TLS or without.

use std::{
    future::Future,
    io,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::ClientConfig;
use tokio::{net::TcpStream, time::timeout};
use tower::{BoxError, Service};

use super::{Upstream, connection::Limited};

/// Opens connections of one kind, in a limited time.
#[derive(Clone)]
pub(in crate::proxy) struct Connector {
    kind: Kind,
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
        Self {
            kind,
            connect_timeout: upstream.connect_timeout,
            write_timeout: upstream.head_timeout.saturating_add(LATER),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = Limited<MaybeHttpsStream<TokioIo<TcpStream>>>;
    type Error = BoxError;
    // One allocation for a connection, not for a request.
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &mut self.kind {
            Kind::Plain(http) => http.poll_ready(cx).map_err(BoxError::from),
            Kind::Encrypted(https) => https.poll_ready(cx),
        }
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connect, write) = (self.connect_timeout, self.write_timeout);
        match &mut self.kind {
            Kind::Plain(http) => {
                let connecting = http.call(uri);
                let connecting = async { Ok(MaybeHttpsStream::Http(connecting.await?)) };
                Box::pin(limited(connecting, connect, write))
            }
            Kind::Encrypted(https) => Box::pin(limited(https.call(uri), connect, write)),
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
