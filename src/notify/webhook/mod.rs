//! Telling a receiver of your own.

mod keys;
mod payload;

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::{
    Request, StatusCode, Uri,
    header::{CONTENT_TYPE, HeaderName},
};
use tower::Service;

use super::{
    Notice, NotifyError, NotifyErrorKind,
    server::{self, Server},
};
use crate::{
    log::{NumericDate, SelectorClass},
    token::Secret,
};
use keys::Keys;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Sends a notice to a receiver of your own, signed as [Standard Webhooks] say.
///
/// The receiver ends the refresh tokens wherever they are. It gets a POST with this document:
///
/// ```json
/// {
///   "type": "revocation.ordered",
///   "timestamp": "2026-11-27T20:26:10Z",
///   "data": {
///     "class": "subject",
///     "issuer": "https://id.example.com",
///     "subject": "alice",
///     "before": 1795811170
///   }
/// }
/// ```
///
/// `class` is a [`SelectorClass`]. `subject`, `client_id` and `key` are there if the order names
/// them. **Everything that was issued until the end of the second `before` has to end**, and nothing
/// that was issued later. `timestamp` is when the order was given.
///
/// * **Verify the signature**, with a library of Standard Webhooks: `webhook-signature` has one
///   `v1` signature for each key, over `webhook-id`, `webhook-timestamp` and the body.
/// * **Each attempt has the same `webhook-id`**, so that the receiver recognises a repetition. Notices
///   can come in any order, and more than once.
/// * **Respond with 2xx when it is done**, or is certain to be done. 410 means that the receiver wants
///   no more notices: the delivery has failed for good. Everything else is tried again, redirects
///   included.
///
/// It uses no proxy. Each request has a limit of 15 s.
///
/// ```
/// use tower_revocation::{Secret, notify::{NotifyError, Webhook}};
///
/// // At least 24 random bytes, in base64.
/// let key = Secret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
/// let webhook = Webhook::new("https://hooks.example.com/revocations", &[key])?;
/// # Ok::<_, NotifyError>(())
/// ```
///
/// # Panics
///
/// Panics outside a tokio runtime with its time driver.
///
/// [Standard Webhooks]: https://www.standardwebhooks.com
#[derive(Clone)]
#[must_use = "a service does nothing until it is called"]
pub struct Webhook {
    server: Server,
    uri: Uri,
    keys: Arc<Keys>,
}

impl Webhook {
    /// The orders of which a receiver is told: all but those that are for ever, and need nobody else.
    pub const CLASSES: &'static [SelectorClass] = &[
        SelectorClass::SubjectAndClient,
        SelectorClass::Subject,
        SelectorClass::Client,
        SelectorClass::Key,
        SelectorClass::Issuer,
    ];

    /// Sends notices to this URI, signed with each of these keys. The URI must be `https`, or `http`
    /// on this machine (`localhost`, `127.0.0.1`, `[::1]`).
    ///
    /// A key is 24 to 64 bytes in base64, with or without the prefix `whsec_`. To replace a key,
    /// sign with both until the receiver has the new one.
    ///
    /// # Errors
    ///
    /// Fails if the URI is neither, or has userinfo or a fragment, if there is no key, or more than
    /// four, or if one is not such a key.
    pub fn new(uri: &str, keys: &[Secret]) -> Result<Self, NotifyError> {
        Self::at(uri, keys, false)
    }

    /// As [`new`](Self::new), and also accepts `http` URIs of other machines. **Anyone on the
    /// network path can then read who is revoked**: use it only where the network itself is
    /// encrypted.
    ///
    /// # Errors
    ///
    /// Fails as [`new`](Self::new) does.
    pub fn plain_http(uri: &str, keys: &[Secret]) -> Result<Self, NotifyError> {
        Self::at(uri, keys, true)
    }

    fn at(uri: &str, keys: &[Secret], allow_plain: bool) -> Result<Self, NotifyError> {
        Ok(Self {
            server: Server::new(Duration::from_secs(15)),
            uri: server::uri(uri, allow_plain)?,
            keys: Arc::new(Keys::new(keys)?),
        })
    }

    /// Limits the time of a request, from the lookup of the name to the last byte of the response.
    /// Defaults to 15 s.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.server = self.server.timeout(limit);
        self
    }

    /// Trusts these certificates in PEM instead of the system's.
    ///
    /// # Errors
    ///
    /// Fails if there is no certificate, or one that cannot be read.
    pub fn trusted_ca(mut self, pem: &[u8]) -> Result<Self, NotifyError> {
        self.server = self.server.trusted_ca(pem)?;
        Ok(self)
    }

    async fn tell(self, notice: Notice) -> Result<(), NotifyError> {
        let body = payload::json(&notice)?;
        let id = format!("msg_{}", notice.id);
        let timestamp = NumericDate::now().seconds();
        let signature = self.keys.sign(&id, timestamp, &body);
        let request = Request::post(self.uri)
            .header(CONTENT_TYPE, "application/json")
            .header(ID, id)
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, signature)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| NotifyError::new(NotifyErrorKind::Unsupported).caused_by(error))?;
        let answer = self.server.send(request).await?;
        match answer.status {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(NotifyError::new(NotifyErrorKind::Gone)),
            _ => Err(answer.error()),
        }
    }
}

impl Service<Notice> for Webhook {
    type Response = ();
    type Error = NotifyError;
    type Future = BoxFuture<'static, Result<(), NotifyError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, notice: Notice) -> Self::Future {
        Box::pin(self.clone().tell(notice))
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("host", &self.uri.host())
            .finish_non_exhaustive()
    }
}
