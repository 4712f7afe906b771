//! The clients of one API: one for each protocol that a request may need.

use std::time::Duration;

use futures::future::BoxFuture;
use hyper::{body::Body, rt::Executor};
use hyper_util::{
    client::legacy::{Builder, Client, connect::HttpConnector},
    rt::TokioTimer,
};
use rustls::ClientConfig;
use tower::BoxError;

use super::{Upstream, base::Protocol, connector::Connector};
use crate::{proxy::Error, tls};

/// Limits the connections that wait for the next request.
const MAX_IDLE: usize = 1024;

/// How often an API with open HTTP/2 streams has to show that it is there, and in which time.
const PING: Duration = Duration::from_secs(20);
/// What one HTTP/2 stream may hold, in bytes: of a response that the client does not read, and of a body
/// that the API does not read.
const STREAM: u32 = 128 * 1024;
/// What all streams of one HTTP/2 connection may hold, in bytes. Other requests share the connection, so
/// a few clients that read nothing must not use it up: their streams are the limit.
const ALL_STREAMS: u32 = (1 << 31) - 1;
/// The largest head of a response over HTTP/2, in bytes.
const MAX_HEAD: u32 = 16 * 1024;
/// The buffer of one HTTP/1.1 connection, in bytes. A head has to fit.
const BUFFER: usize = 64 * 1024;
/// The time without a byte after which the system asks whether the API is there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// The clients of one API.
pub(in crate::proxy) struct Clients<B> {
    /// For all requests except those below.
    pub(in crate::proxy) main: Client<Connector, B>,
    /// Speaks HTTP/2, unless the API does not offer it.
    pub(in crate::proxy) grpc: Client<Connector, B>,
    /// Speaks HTTP/1.1. `None` if the API does not.
    pub(in crate::proxy) websocket: Option<Client<Connector, B>>,
}

impl<B> Clients<B>
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    /// Opens no connection. The tasks of later connections run on the executor.
    ///
    /// # Errors
    ///
    /// Fails if TLS has no root certificates or no crypto provider.
    pub(in crate::proxy) fn new<E>(upstream: &Upstream, executor: E) -> Result<Self, Error>
    where
        E: Executor<BoxFuture<'static, ()>> + Clone + Send + Sync + 'static,
    {
        let mut http = HttpConnector::new();
        http.set_connect_timeout(Some(upstream.connect_timeout));
        http.set_nodelay(true);
        http.set_keepalive(Some(KEEP_ALIVE));
        let mut builder = Client::builder(executor);
        builder
            // The client decides whether to repeat a request that the API may have received.
            .retry_canceled_requests(false)
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(upstream.idle_timeout)
            .pool_max_idle_per_host(MAX_IDLE)
            .http1_max_buf_size(BUFFER)
            .http2_initial_stream_window_size(STREAM)
            .http2_initial_connection_window_size(ALL_STREAMS)
            .http2_max_send_buf_size(STREAM as usize)
            .http2_max_header_list_size(MAX_HEAD)
            .http2_keep_alive_interval(PING)
            .http2_keep_alive_timeout(PING)
            .timer(TokioTimer::new());
        let build = |builder: &Builder, connector| builder.build::<_, B>(connector);

        Ok(match upstream.base.protocol {
            Protocol::Http => {
                let main = build(&builder, Connector::plain(http.clone(), upstream));
                let grpc = build(builder.http2_only(true), Connector::plain(http, upstream));
                Self {
                    websocket: Some(main.clone()),
                    main,
                    grpc,
                }
            }
            Protocol::H2c => {
                let main = build(builder.http2_only(true), Connector::plain(http, upstream));
                Self {
                    grpc: main.clone(),
                    main,
                    websocket: None,
                }
            }
            Protocol::Https => {
                let config = tls_config(upstream)?;
                let both = Connector::encrypted(http.clone(), config.clone(), true, upstream);
                let http1 = Connector::encrypted(http, config, false, upstream);
                let main = build(&builder, both);
                Self {
                    grpc: main.clone(),
                    main,
                    websocket: Some(build(&builder, http1)),
                }
            }
        })
    }
}

fn tls_config(upstream: &Upstream) -> Result<ClientConfig, Error> {
    let roots = match &upstream.roots {
        Some(roots) => roots.clone(),
        None => tls::system_roots()?.into(),
    };
    Ok(tls::builder(roots)?.with_no_client_auth())
}
