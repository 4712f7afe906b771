//! The API: what it is sent, and what it answers.

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

use crate::{body::Cleaned, entry::plain, fields::remove_hop_by_hop};

/// Where requests go, and how.
pub(crate) struct Upstream {
    base: Uri,
    client: Client<HttpConnector, Cleaned>,
}

/// For the head of a response. Its body may take as long as it likes.
const PATIENCE: Duration = Duration::from_secs(30);

impl Upstream {
    pub(crate) fn new(base: Uri) -> Self {
        let client = Client::builder(TokioExecutor::new())
            // Whether the API has seen a request is for its client to judge.
            .retry_canceled_requests(false)
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(5))
            .build_http();
        Self { base, client }
    }

    /// The same path and query there. None of a request without a path (`CONNECT`, `OPTIONS *`), and
    /// of one that the API may take for a path beside the base.
    fn uri(&self, asked: &Uri) -> Option<Uri> {
        let path = asked.path_and_query()?.as_str();
        let prefix = self.base.path().trim_end_matches('/');
        if !prefix.is_empty() && goes_up(asked.path()) {
            return None;
        }
        let path = path.starts_with('/').then(|| format!("{prefix}{path}"))?;
        let mut parts = self.base.clone().into_parts();
        parts.path_and_query = Some(path.parse().ok()?);
        Uri::from_parts(parts).ok()
    }
}

/// Whether a segment is `..`, however it is written.
fn goes_up(path: &str) -> bool {
    let dots = path.to_ascii_lowercase().replace("%2e", ".");
    let slashes = dots.replace("%2f", "/").replace("%5c", "/");
    slashes.split(['/', '\\']).any(|segment| segment == "..")
}

type Answer = Response<Either<Incoming, Empty<Bytes>>>;

/// Hands a request on as it is, and the answer back: bodies as they come, and nothing twice.
pub(crate) async fn forward(
    upstream: Arc<Upstream>,
    mut request: Request<Incoming>,
) -> Result<Answer, Infallible> {
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
    // It is named anew, after the URI.
    headers.remove(header::HOST);
    let request = request.map(Cleaned);
    let answered = tokio::time::timeout(PATIENCE, upstream.client.request(request)).await;
    Ok(match answered {
        // No request has asked for another protocol.
        Ok(Ok(response)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            failure(StatusCode::BAD_GATEWAY)
        }
        Ok(Ok(mut response)) => {
            remove_hop_by_hop(response.headers_mut());
            response.map(Either::Left)
        }
        Ok(Err(error)) => {
            eprintln!("upstream: {error}");
            failure(StatusCode::BAD_GATEWAY)
        }
        Err(_) => failure(StatusCode::GATEWAY_TIMEOUT),
    })
}

fn failure(status: StatusCode) -> Answer {
    plain(status).map(Either::Right)
}
