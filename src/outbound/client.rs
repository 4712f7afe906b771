//! Sends requests to other servers, and reads responses up to a limit.

use std::{
    error::Error as StdError,
    io,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, USER_AGENT},
    http::uri::Scheme,
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        self, Client,
        connect::{Connect, HttpConnector},
    },
    rt::{TokioExecutor, TokioTimer},
};

use super::{
    error::{OutboundError, OutboundErrorKind},
    resolver::{CheckedResolver, is_forbidden},
    settings::ConnectionSettings,
};
use crate::tls;

/// Limits the size of a response head, in bytes.
const MAX_HEAD: usize = 64 * 1024;

type PlainClient = Client<HttpConnector<CheckedResolver>, Full<Bytes>>;
type SecureClient = Client<HttpsConnector<HttpConnector<CheckedResolver>>, Full<Bytes>>;

/// A client with fixed [`ConnectionSettings`]. It opens no connection before the first request.
pub(crate) struct HttpClient {
    connection: ConnectionSettings,
    /// For `http`. It needs neither root certificates nor a crypto provider.
    plain: OnceLock<PlainClient>,
    secure: OnceLock<SecureClient>,
}

impl HttpClient {
    pub(crate) fn new(connection: ConnectionSettings) -> Self {
        Self {
            connection,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    /// Sends a request and returns the headers and the body of a 200 response.
    ///
    /// **The request must be idempotent.** The server may have closed a kept-alive connection in
    /// the meantime. If that happens before the first byte of a response, the request is sent a
    /// second time.
    ///
    /// # Errors
    ///
    /// Fails if the response is not complete within the timeout, which covers everything from the
    /// name lookup to the last byte, and if the status is not 200. Redirects are not followed.
    pub(crate) async fn fetch(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(HeaderMap, Bytes), OutboundError> {
        tokio::time::timeout(self.connection.timeout, self.fetch_unbounded(request))
            .await
            .map_err(|elapsed| {
                OutboundError::new(OutboundErrorKind::TimedOut, "the request timed out")
                    .caused_by(elapsed)
            })?
    }

    async fn fetch_unbounded(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(HeaderMap, Bytes), OutboundError> {
        let request = with_own_headers(request);
        let again = self.connection.keep_alive.then(|| request.clone());
        let response = match (self.send(request).await, again) {
            (Err(error), Some(again)) if error.kind == OutboundErrorKind::Closed => {
                self.send(again).await?
            }
            (response, _) => response?,
        };

        // Following a redirect would bypass the checks of the URI and its address.
        if response.status().is_redirection() {
            return Err(OutboundError::new(
                OutboundErrorKind::Status(response.status()),
                "the server redirects",
            ));
        }
        if response.status() != StatusCode::OK {
            let kind = OutboundErrorKind::Status(response.status());
            return Err(OutboundError::new(kind, "the server did not return 200"));
        }
        self.read(response).await
    }

    /// Sends a request exactly once and returns the response, whatever its status.
    ///
    /// # Errors
    ///
    /// Fails if the response is not complete within the timeout, or cannot be read. The server may
    /// have processed the request nevertheless.
    #[cfg(any(feature = "notify", feature = "upstream"))]
    pub(crate) async fn send_once(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, HeaderMap, Bytes), OutboundError> {
        let exchange = async {
            let response = self.send(with_own_headers(request)).await?;
            let status = response.status();
            let (headers, body) = self.read(response).await?;
            Ok((status, headers, body))
        };
        tokio::time::timeout(self.connection.timeout, exchange)
            .await
            .map_err(|elapsed| {
                OutboundError::new(OutboundErrorKind::TimedOut, "the request timed out")
                    .caused_by(elapsed)
            })?
    }

    async fn read(
        &self,
        response: Response<Incoming>,
    ) -> Result<(HeaderMap, Bytes), OutboundError> {
        let (head, body) = response.into_parts();
        let coding = head.headers.get(CONTENT_ENCODING);
        if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(OutboundError::new(
                OutboundErrorKind::Compressed,
                "the response is compressed",
            ));
        }
        let body = Limited::new(body, self.connection.max_size)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    OutboundError::new(OutboundErrorKind::TooLarge, "the response is too large")
                } else {
                    OutboundError::new(OutboundErrorKind::Unreachable, "the response is incomplete")
                        .caused_by(error)
                }
            })?;
        Ok((head.headers, body.to_bytes()))
    }

    async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, OutboundError> {
        let plain = self.connection.allow_http && request.uri().scheme() == Some(&Scheme::HTTP);
        let response = if plain {
            let client = self
                .plain
                .get_or_init(|| self.connection.client(|http| http));
            client.request(request)
        } else {
            self.secure().await?.request(request)
        };
        response.await.map_err(connection_error)
    }

    async fn secure(&self) -> Result<&SecureClient, OutboundError> {
        if let Some(client) = self.secure.get() {
            return Ok(client);
        }
        let roots = match &self.connection.roots {
            Some(roots) => roots.clone(),
            None => tokio::task::spawn_blocking(tls::system_roots)
                .await
                .map_err(|error| {
                    let kind = OutboundErrorKind::Configuration;
                    OutboundError::new(kind, "the root certificates cannot be loaded")
                        .caused_by(error)
                })??
                .into(),
        };
        let config = tls::builder(roots)?.with_no_client_auth();
        // Two concurrent first requests may both build a client. The first one stored is used.
        Ok(self.secure.get_or_init(|| {
            self.connection.client(|mut http| {
                http.enforce_http(false);
                let https = HttpsConnectorBuilder::new().with_tls_config(config);
                https.https_only().enable_http1().wrap_connector(http)
            })
        }))
    }
}

impl ConnectionSettings {
    fn client<C>(
        &self,
        over: impl FnOnce(HttpConnector<CheckedResolver>) -> C,
    ) -> Client<C, Full<Bytes>>
    where
        C: Connect + Clone,
    {
        let mut http = HttpConnector::new_with_resolver(CheckedResolver {
            resolver: Arc::clone(&self.resolver),
            allow_private: self.allow_private,
        });
        // hyper-util divides this among the addresses of a name. Half of the total leaves time for
        // the response if the first address drops packets.
        http.set_connect_timeout(Some(self.timeout / 2));

        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .http1_max_buf_size(MAX_HEAD)
            .pool_timer(TokioTimer::new());
        if !self.keep_alive {
            // The next request is minutes away and must resolve the name again.
            builder.pool_max_idle_per_host(0);
        }
        builder.build(over(http))
    }
}

/// Adds `User-Agent`, and an `Accept-Encoding` that rules out compression.
fn with_own_headers(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    let agent = concat!("tower-revocation/", env!("CARGO_PKG_VERSION"));
    let fields = request.headers_mut();
    fields.insert(USER_AGENT, HeaderValue::from_static(agent));
    fields.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    request
}

/// Classifies a failure before the response head by its chain of causes.
fn connection_error(error: legacy::Error) -> OutboundError {
    let mut kind = OutboundErrorKind::Unreachable;
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    while let Some(link) = cause {
        if link.downcast_ref().is_some_and(is_forbidden) {
            kind = OutboundErrorKind::ForbiddenAddress;
        } else if !error.is_connect() && is_closed(link) {
            kind = OutboundErrorKind::Closed;
        }
        cause = link.source();
    }
    OutboundError::new(kind, "the server cannot be reached").caused_by(error)
}

fn is_closed(error: &(dyn StdError + 'static)) -> bool {
    let of_http = error
        .downcast_ref()
        .is_some_and(hyper::Error::is_incomplete_message);
    let of_tcp = error.downcast_ref().is_some_and(|error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
        )
    });
    of_http || of_tcp
}
