//! The requests to the server of an issuer, or to a receiver.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Request, StatusCode, Uri, header::RETRY_AFTER};

use super::{NotifyError, NotifyErrorKind};
use crate::outbound::{ConnectionSettings, HttpClient, parse_operator_uri, parse_roots};

/// The limit for a response. Nothing but an access token is read from one.
const MAX_SIZE: usize = 64 * 1024;

/// A longer `Retry-After` is shortened to this.
const MAX_RETRY_AFTER: u64 = 24 * 60 * 60;

/// A server that the operator has chosen.
#[derive(Clone)]
pub(super) struct Server {
    connection: ConnectionSettings,
    http_client: Arc<HttpClient>,
}

/// A response that was read.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    retry_after: Option<Duration>,
}

/// Checks the URI of a server.
pub(super) fn uri(text: &str, allow_plain_http: bool) -> Result<Uri, NotifyError> {
    parse_operator_uri(text, allow_plain_http).map_err(NotifyError::configuration)
}

impl Server {
    pub(super) fn new(timeout: Duration) -> Self {
        let connection = ConnectionSettings {
            timeout,
            max_size: MAX_SIZE,
            // The operator has chosen the server, and the URI was checked.
            allow_private: true,
            allow_http: true,
            // The next request may be hours away.
            keep_alive: false,
            ..ConnectionSettings::default()
        };
        Self {
            http_client: Arc::new(HttpClient::new(connection.clone())),
            connection,
        }
    }

    pub(super) fn timeout(self, timeout: Duration) -> Self {
        self.with(|connection| connection.timeout = timeout)
    }

    pub(super) fn trusted_ca(self, pem: &[u8]) -> Result<Self, NotifyError> {
        let roots = parse_roots(pem)?;
        Ok(self.with(|connection| connection.roots = Some(roots)))
    }

    fn with(mut self, set: impl FnOnce(&mut ConnectionSettings)) -> Self {
        set(&mut self.connection);
        self.http_client = Arc::new(HttpClient::new(self.connection.clone()));
        self
    }

    /// Sends a request once.
    ///
    /// # Errors
    ///
    /// Fails if there is no whole response.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, NotifyError> {
        let (status, headers, body) = self.http_client.send_once(request).await?;
        Ok(Answer {
            status,
            body,
            retry_after: retry_after(&headers),
        })
    }
}

impl Answer {
    /// The error for a response that does not mean success.
    pub(super) fn error(&self) -> NotifyError {
        let error = NotifyError::new(match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => NotifyErrorKind::Unauthorized,
            status => NotifyErrorKind::Status(status),
        });
        match self.retry_after {
            Some(delay) => error.retry_after(delay),
            None => error,
        }
    }
}

/// Reads `delay-seconds` (RFC 9110 §10.2.3). A date is ignored.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: u64 = text.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(MAX_RETRY_AFTER)))
}
