//! A reverse proxy as a Tower service.

mod active;
mod body;
mod future;
mod in_flight;
mod max_forwards;
mod prepare;
mod tasks;
mod tunnel;
mod upload;

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper::{
    Request, Response,
    body::{Body, Incoming},
    header::HeaderValue,
};
use tower::{BoxError, Service};

pub use self::{body::ForwardedBody, future::ForwardFuture};
use self::{
    future::TimeLimits, in_flight::InFlight, max_forwards::Recipient, tasks::Tasks, upload::Upload,
};
use super::{Error, ErrorKind, IdentityHeaders, Upstream, upstream::Clients};
use crate::ResponseBody;

/// Forwards requests to an API, once each, and returns the responses. Both bodies are streamed.
///
/// It is the innermost service: put a [`SanitizeLayer`](super::SanitizeLayer) around everything,
/// and an [`EnforcementLayer`](crate::enforce::EnforcementLayer) between the two. A request that
/// the API does not answer gets 502 or 504 without a body, with an [`Error`] in the extensions.
///
/// * **Fields.** The API gets the [identity headers](Self::identity) of the token, `Via`, and the
///   host of the [`Upstream`] as `Host`. Fields about one connection do not pass, in both directions
///   (RFC 9110 §7.6.1), and `Expect` does not. `Authorization` passes, unless it is
///   [removed](Self::remove_authorization).
/// * **`OPTIONS`** with `Max-Forwards: 0` gets 204 from the proxy (RFC 9110 §7.6.2).
/// * **A `GET` or `HEAD` with a body** of unknown length is 400, because HTTP/1.1 clients do not send it on. Over
///   HTTP/2, it passes if the body turns out to be empty.
/// * **gRPC** and trailers pass. gRPC needs an API with HTTP/2. Trailers of a response lose the fields
///   about one connection, and those that mean something only in a head, such as `Set-Cookie`.
/// * **A WebSocket** passes if its request has an [`AllowWebSocket`] in the extensions, over
///   HTTP/1.1. The connection ends within a second after its token, and after [10 minutes without a
///   byte](Self::websocket_idle_timeout). A response 101 to any other
///   request is 502.
/// * **An upload** ends within a second after its token, as a response does: no further byte is taken from
///   the client. The API sees a body that was aborted. The client gets what the
///   [`EnforcementLayer`](crate::enforce::EnforcementLayer) responds to such a token: 401, or 503 if it is no
///   longer known whether the token is revoked, or the status of gRPC. If an API with HTTP/1.1 has
///   responded and then reads nothing, hyper does not notice: the rest of the upload ends a second after
///   `head_timeout`.
/// * **No retries.** An API that closes a connection may have processed the request.
/// * **Limits.** [`head_timeout`](Upstream::head_timeout) limits the time of the API, and not that of a
///   slow client. A client that [sends nothing](Self::upload_idle_timeout) of its body for a minute gets
///   408\. Bodies have no limit, and are not buffered. At most [10,000 requests](Self::max_requests) are at
///   the API at once.
///
/// ```no_run
/// use std::convert::Infallible;
/// use hyper::{Request, body::Incoming};
/// use tower::{BoxError, Layer};
/// use tower_revocation::{
///     enforce::{EnforcementLayer, Index},
///     proxy::{ReverseProxy, SanitizeLayer, Upstream, server::Server},
/// };
///
/// # async fn run<I, F>(introspect: I, index: Index) -> Result<(), BoxError>
/// # where
/// #     I: tower::Service<tower_revocation::Secret, Future = F, Error = BoxError>,
/// #     I: Clone + Send + 'static,
/// #     I::Response: Into<tower_revocation::introspect::Introspected> + Send,
/// #     F: Future<Output = Result<I::Response, BoxError>> + Send + 'static,
/// # {
/// let proxy = ReverseProxy::new(Upstream::new("http://127.0.0.1:3000")?)?;
/// let service = EnforcementLayer::new(introspect, index).layer(proxy);
/// let service = SanitizeLayer::new().layer(service);
/// let listener = tokio::net::TcpListener::bind("0.0.0.0:8080").await?;
/// Server::new().serve(listener, service, std::future::pending()).await;
/// # Ok(())
/// # }
/// ```
pub struct ReverseProxy<B = Incoming> {
    /// In one piece: each request has a clone.
    parts: Arc<Parts<B>>,
}

struct Parts<B> {
    clients: Arc<Clients<Upload<B>>>,
    settings: Settings,
    in_flight: InFlight,
}

#[derive(Clone, Debug)]
struct Settings {
    upstream: Upstream,
    via: Via,
    identity: IdentityHeaders,
    removes_authorization: bool,
    websocket_idle_timeout: Duration,
    upload_idle_timeout: Duration,
    max_requests: usize,
}

/// `Via` for each version of HTTP (RFC 9110 §7.6.3).
#[derive(Clone, Debug)]
struct Via {
    http10: HeaderValue,
    http11: HeaderValue,
    http2: HeaderValue,
}

/// Lets a request become a WebSocket, in its extensions.
///
/// The code that knows the routes inserts it, in front of the [`ReverseProxy`]:
///
/// ```
/// use hyper::Request;
/// use tower::{ServiceExt, util::MapRequestLayer};
/// use tower_revocation::proxy::AllowWebSocket;
///
/// fn allow<B>(mut request: Request<B>) -> Request<B> {
///     if request.uri().path() == "/ws" {
///         request.extensions_mut().insert(AllowWebSocket);
///     }
///     request
/// }
/// # let mut request = Request::new(());
/// # *request.uri_mut() = "/ws".parse().unwrap();
/// # assert!(allow(request).extensions().get::<AllowWebSocket>().is_some());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowWebSocket;

impl<B> ReverseProxy<B>
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    /// Creates a proxy to this API. It opens no connection before the first request.
    ///
    /// With `https` and without a [trusted CA](Upstream::trusted_ca), it reads the root
    /// certificates of the system, which are files.
    ///
    /// # Errors
    ///
    /// Fails if TLS has no root certificates or no crypto provider.
    pub fn new(upstream: Upstream) -> Result<Self, Error> {
        let clients = Clients::new(&upstream, Tasks)?;
        let settings = Settings {
            upstream,
            via: Via::new("gateway")?,
            identity: IdentityHeaders::new(),
            removes_authorization: false,
            websocket_idle_timeout: Duration::from_secs(600),
            upload_idle_timeout: Duration::from_secs(60),
            max_requests: 10_000,
        };
        let parts = Parts {
            clients: Arc::new(clients),
            settings,
            in_flight: InFlight::new(),
        };
        Ok(Self {
            parts: Arc::new(parts),
        })
    }
}

impl<B> ReverseProxy<B> {
    /// The name of this proxy in `Via`. Defaults to `gateway`.
    ///
    /// # Errors
    ///
    /// Fails if `name` is empty or has other characters than letters, digits, `.`, `-` and `_`.
    pub fn via(mut self, name: &str) -> Result<Self, Error> {
        self.settings_mut().via = Via::new(name)?;
        Ok(self)
    }

    /// The fields in which the API is told whose token a request has. Defaults to none.
    ///
    /// They are set from the [`Introspection`](crate::introspect::Introspection) that an
    /// [`EnforcementLayer`](crate::enforce::EnforcementLayer) puts into the extensions, and are empty
    /// without one.
    #[must_use]
    pub fn identity(mut self, identity: IdentityHeaders) -> Self {
        self.settings_mut().identity = identity;
        self
    }

    /// Whether the API gets no `Authorization`. Defaults to `false`.
    ///
    /// An API that does not check tokens needs none, and cannot leak what it does not get.
    #[must_use]
    pub fn remove_authorization(mut self, removes: bool) -> Self {
        self.settings_mut().removes_authorization = removes;
        self
    }

    /// Limits the time in which a WebSocket carries no byte in either direction. Defaults to 10 minutes.
    ///
    /// A `ping` is a byte too, so an application with longer silences needs pings, or a longer limit.
    #[must_use]
    pub fn websocket_idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings_mut().websocket_idle_timeout = timeout;
        self
    }

    /// Limits the time in which the client sends nothing of the body of its request, until the API
    /// responds. Defaults to 1 minute. A longer silence is 408.
    ///
    /// A silent client would hold a connection to the API. Once the head of the response has arrived, the
    /// body of the request may pause for ever, as that of a bidirectional stream does. **Raise it if an API
    /// responds only at the end of a stream whose client is silent for longer.**
    #[must_use]
    pub fn upload_idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings_mut().upload_idle_timeout = timeout;
        self
    }

    /// Limits the requests that are at the API at once, until the end of their responses. Defaults to
    /// 10,000. Each may need a connection, which is a file descriptor. A `WebSocket` does not count: it has a
    /// connection of a client.
    ///
    /// A request beyond the limit is 503 with `Retry-After`, at once. One client, by its
    /// [`ClientAddr`](crate::client::ClientAddr) or its [`PeerAddr`](crate::client::PeerAddr), can have an
    /// eighth of them.
    #[must_use]
    pub fn max_requests(mut self, requests: usize) -> Self {
        self.settings_mut().max_requests = requests;
        self
    }

    fn settings_mut(&mut self) -> &mut Settings {
        &mut Arc::make_mut(&mut self.parts).settings
    }
}

impl Via {
    fn new(name: &str) -> Result<Self, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(Error::configuration("the name of a proxy is not a word"));
        }
        let line = |version| {
            let line = HeaderValue::try_from(format!("{version} {name}"));
            line.map_err(|error| Error::configuration("the name is too long").caused_by(error))
        };
        Ok(Self {
            http10: line("1.0")?,
            http11: line("1.1")?,
            http2: line("2.0")?,
        })
    }
}

impl<B> Service<Request<B>> for ReverseProxy<B>
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    type Response = Response<ResponseBody<ForwardedBody>>;
    type Error = Infallible;
    type Future = ForwardFuture;

    /// Always ready: it opens as many connections as there are requests, up to
    /// [`max_requests`](Self::max_requests).
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> ForwardFuture {
        let version = request.version();
        let Parts {
            clients,
            settings,
            in_flight,
        } = &*self.parts;
        let Some(permit) = in_flight.permit(settings.max_requests, request.extensions()) else {
            let error = Error::new(ErrorKind::Overloaded, "too many requests are at the API");
            return ForwardFuture::failed(error, version);
        };
        let limits = TimeLimits {
            head: settings.upstream.head_timeout,
            upload: settings.upload_idle_timeout,
        };
        match Recipient::of(&mut request) {
            Ok(Recipient::Api) => {}
            Ok(Recipient::Proxy) => return ForwardFuture::no_content(),
            Err(error) => return ForwardFuture::failed(error, version),
        }
        match settings.prepare(request) {
            Ok(prepared) => prepared.send(clients, limits, permit),
            Err(error) => ForwardFuture::failed(error, version),
        }
    }
}

impl<B> Clone for ReverseProxy<B> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
        }
    }
}

/// A setter changes a copy.
impl<B> Clone for Parts<B> {
    fn clone(&self) -> Self {
        Self {
            clients: self.clients.clone(),
            settings: self.settings.clone(),
            in_flight: self.in_flight.clone(),
        }
    }
}

impl<B> fmt::Debug for ReverseProxy<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReverseProxy")
            .field("settings", &self.parts.settings)
            .finish_non_exhaustive()
    }
}
