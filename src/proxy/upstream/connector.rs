//! Opens connections to an API, with TLS or without.

use std::task::{Context, Poll};

use futures::future::BoxFuture;
use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower::{BoxError, Service};

/// Opens connections of one kind.
#[derive(Clone)]
pub(in crate::proxy) enum Connector {
    Plain(HttpConnector),
    Encrypted(HttpsConnector<HttpConnector>),
}

impl Connector {
    /// With TLS, and with HTTP/2 if the API offers it and `http2` is set.
    pub(super) fn encrypted(mut http: HttpConnector, config: ClientConfig, http2: bool) -> Self {
        http.enforce_http(false);
        let builder = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1();
        Self::Encrypted(if http2 {
            builder.enable_http2().wrap_connector(http)
        } else {
            builder.wrap_connector(http)
        })
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    // One allocation for a connection, not for a request.
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Self::Plain(http) => http.poll_ready(cx).map_err(BoxError::from),
            Self::Encrypted(https) => https.poll_ready(cx),
        }
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match self {
            Self::Plain(http) => {
                let connecting = http.call(uri);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(connecting.await?)) })
            }
            Self::Encrypted(https) => Box::pin(https.call(uri)),
        }
    }
}
