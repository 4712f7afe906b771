//! How is a server asked, and how much of its answer is read?

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
    error::{Failure, Fault},
    resolver::{Checked, is_refused},
    settings::Reach,
    tls,
};

/// Room for the head of an answer.
const MAX_HEAD: usize = 64 * 1024;

type PlainClient = Client<HttpConnector<Checked>, Full<Bytes>>;
type SecureClient = Client<HttpsConnector<HttpConnector<Checked>>, Full<Bytes>>;

/// A client of servers that are reached like this.
pub(crate) struct Connector {
    reach: Reach,
    /// For `http`, which needs neither roots of trust nor cryptography.
    plain: OnceLock<PlainClient>,
    secure: OnceLock<SecureClient>,
}

impl Connector {
    pub(crate) fn new(reach: Reach) -> Self {
        Self {
            reach,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    /// The fields and the body of an answer of 200.
    ///
    /// A connection that was kept may have died meanwhile: a request that it took along is sent
    /// once more. **Ask nothing that may not be asked twice.**
    ///
    /// One time-out for all of it: a server that stalls, stalls nobody for longer than that.
    pub(crate) async fn ask(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(HeaderMap, Bytes), Failure> {
        tokio::time::timeout(self.reach.timeout, self.ask_unbounded(request))
            .await
            .map_err(|elapsed| Fault::TimedOut.because("it took too long").of(elapsed))?
    }

    async fn ask_unbounded(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(HeaderMap, Bytes), Failure> {
        let request = from_us(request);
        let again = self.reach.pooled.then(|| request.clone());
        let response = match (self.send(request).await, again) {
            (Err(failure), Some(again)) if failure.fault == Fault::Closed => {
                self.send(again).await?
            }
            (response, _) => response?,
        };

        // A redirect is not followed: it would lead past what was checked.
        if response.status().is_redirection() {
            return Err(Fault::Status(response.status()).because("the server redirects"));
        }
        if response.status() != StatusCode::OK {
            let fault = Fault::Status(response.status());
            return Err(fault.because("the server did not answer 200"));
        }
        self.read(response).await
    }

    /// Sends a request once, and reads the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// If there is no answer within the time-out, or none that can be read. The server may have
    /// carried out the request nevertheless.
    #[cfg(feature = "upstream")]
    pub(crate) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Failure> {
        let exchange = async {
            let response = self.send(from_us(request)).await?;
            let status = response.status();
            let (headers, body) = self.read(response).await?;
            Ok((status, headers, body))
        };
        tokio::time::timeout(self.reach.timeout, exchange)
            .await
            .map_err(|elapsed| Fault::TimedOut.because("it took too long").of(elapsed))?
    }

    async fn read(&self, response: Response<Incoming>) -> Result<(HeaderMap, Bytes), Failure> {
        let (head, body) = response.into_parts();
        let coding = head.headers.get(CONTENT_ENCODING);
        if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(Fault::Compressed.because("the answer is compressed"));
        }
        let body = Limited::new(body, self.reach.max_size)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    Fault::TooLarge.because("the answer is too large")
                } else {
                    Fault::Unreached.because("the answer is cut off").of(error)
                }
            })?;
        Ok((head.headers, body.to_bytes()))
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failure> {
        let plain = self.reach.allow_plain && request.uri().scheme() == Some(&Scheme::HTTP);
        let response = if plain {
            let client = self.plain.get_or_init(|| self.reach.client(|http| http));
            client.request(request)
        } else {
            self.secure().await?.request(request)
        };
        response.await.map_err(unreached)
    }

    async fn secure(&self) -> Result<&SecureClient, Failure> {
        if let Some(client) = self.secure.get() {
            return Ok(client);
        }
        let config = tls::config(self.reach.roots.clone()).await?;
        // Two first requests may both come here: either client does.
        Ok(self.secure.get_or_init(|| {
            self.reach.client(|mut http| {
                http.enforce_http(false);
                let https = HttpsConnectorBuilder::new().with_tls_config(config);
                https.https_only().enable_http1().wrap_connector(http)
            })
        }))
    }
}

impl Reach {
    fn client<C>(&self, over: impl FnOnce(HttpConnector<Checked>) -> C) -> Client<C, Full<Bytes>>
    where
        C: Connect + Clone,
    {
        let mut http = HttpConnector::new_with_resolver(Checked {
            resolver: Arc::clone(&self.resolver),
            allow_private: self.allow_private,
        });
        // Shared among the addresses of a name: one that swallows packets leaves time for the next.
        http.set_connect_timeout(Some(self.timeout / 2));

        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .http1_max_buf_size(MAX_HEAD)
            .pool_timer(TokioTimer::new());
        if !self.pooled {
            // The next request is minutes away, and is to see where the name leads by then.
            builder.pool_max_idle_per_host(0);
        }
        builder.build(over(http))
    }
}

/// A request that says who sends it, and reads nothing that is compressed.
fn from_us(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    let agent = concat!("tower-revocation/", env!("CARGO_PKG_VERSION"));
    let fields = request.headers_mut();
    fields.insert(USER_AGENT, HeaderValue::from_static(agent));
    fields.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    request
}

/// Why there was no answer at all.
fn unreached(error: legacy::Error) -> Failure {
    let mut fault = Fault::Unreached;
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    while let Some(link) = cause {
        if link.downcast_ref().is_some_and(is_refused) {
            fault = Fault::Refused;
        } else if !error.is_connect() && is_closed(link) {
            fault = Fault::Closed;
        }
        cause = link.source();
    }
    fault.because("the server cannot be reached").of(error)
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
