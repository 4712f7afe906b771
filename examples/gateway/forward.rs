//! Forwards requests to the API.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::{Either, Empty};
use hyper::{
    Request, Response, StatusCode, Uri, Version,
    body::{Bytes, Incoming},
    header::{self, HeaderValue},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use crate::{body::Cleaned, entry::empty, fields::remove_hop_by_hop, setting::causes};

/// The base URL of the API, and the client that sends to it.
pub(crate) struct Upstream {
    base: Uri,
    client: Client<HttpConnector, Cleaned>,
}

/// The time-out for the head of a response. A body has no time-out.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Upstream {
    pub(crate) fn new(base: Uri) -> Self {
        let client = Client::builder(TokioExecutor::new())
            // The client decides whether to repeat a request that the API may have received.
            .retry_canceled_requests(false)
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(5))
            .build_http();
        Self { base, client }
    }

    /// The same path and query at the API. Returns `None` for a request without a path (`CONNECT`,
    /// `OPTIONS *`), and for a path that the API may resolve to one outside the base URL.
    fn uri(&self, requested: &Uri) -> Option<Uri> {
        let path = requested.path_and_query()?.as_str();
        let prefix = self.base.path().trim_end_matches('/');
        if !prefix.is_empty() && goes_up(requested.path()) {
            return None;
        }
        let path = path.starts_with('/').then(|| format!("{prefix}{path}"))?;
        let mut parts = self.base.clone().into_parts();
        parts.path_and_query = Some(path.parse().ok()?);
        Uri::from_parts(parts).ok()
    }
}

/// Whether a segment is `..`, in any encoding.
fn goes_up(path: &str) -> bool {
    let dots = path.to_ascii_lowercase().replace("%2e", ".");
    let slashes = dots.replace("%2f", "/").replace("%5c", "/");
    slashes.split(['/', '\\']).any(|segment| segment == "..")
}

type ForwardedResponse = Response<Either<Incoming, Empty<Bytes>>>;

/// Forwards a request once, and returns the response. Both bodies are streamed.
pub(crate) async fn forward(
    upstream: Arc<Upstream>,
    mut request: Request<Incoming>,
) -> Result<ForwardedResponse, Infallible> {
    let Some(uri) = upstream.uri(request.uri()) else {
        return Ok(failure(StatusCode::BAD_REQUEST));
    };
    *request.uri_mut() = uri;
    let via = match request.version() {
        Version::HTTP_2 => "2.0 gateway",
        Version::HTTP_10 => "1.0 gateway",
        _ => "1.1 gateway",
    };
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    // RFC 9110 §7.6.3.
    headers.append(header::VIA, HeaderValue::from_static(via));
    // The client sets it again from the URI.
    headers.remove(header::HOST);
    let request = request.map(Cleaned);
    let response = tokio::time::timeout(TIMEOUT, upstream.client.request(request)).await;
    Ok(match response {
        // The gateway forwards no `Upgrade`, so the API must not switch protocols.
        Ok(Ok(response)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            failure(StatusCode::BAD_GATEWAY)
        }
        Ok(Ok(mut response)) => {
            remove_hop_by_hop(response.headers_mut());
            response.map(Either::Left)
        }
        Ok(Err(error)) => {
            eprintln!("the API failed: {}", causes(&error));
            failure(StatusCode::BAD_GATEWAY)
        }
        Err(_) => failure(StatusCode::GATEWAY_TIMEOUT),
    })
}

fn failure(status: StatusCode) -> ForwardedResponse {
    empty(status).map(Either::Right)
}
