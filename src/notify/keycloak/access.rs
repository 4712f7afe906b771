//! The access token of this server at Keycloak.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::lock::Mutex;
use http_body_util::Full;
use hyper::{
    Request, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use serde_json::Value;
use tokio::time::Instant;

use super::super::{NotifyError, NotifyErrorKind, server::Server};
use crate::{
    jose::Members,
    outbound::{basic, bearer},
    token::Secret,
};

/// A token that has less time than this is not used any more.
const MARGIN: Duration = Duration::from_secs(10);
/// If the response does not say when the token expires (RFC 6749 §5.1).
const DEFAULT_LIFETIME: u64 = 60;
/// A longer lifetime is shortened to this many seconds.
const MAX_LIFETIME: u64 = 60 * 60;

/// Fetches access tokens from the client-credentials grant (RFC 6749 §4.4), and keeps the last one.
pub(super) struct AccessTokens {
    token_endpoint: Uri,
    credentials: HeaderValue,
    /// Locked while a token is fetched, so that only one caller fetches.
    last: Mutex<Option<Arc<AccessToken>>>,
}

pub(super) struct AccessToken {
    pub(super) authorization: HeaderValue,
    use_until: Instant,
}

impl AccessTokens {
    pub(super) fn new(token_endpoint: Uri, client_id: &str, secret: &Secret) -> Self {
        Self {
            token_endpoint,
            credentials: basic(client_id, secret),
            last: Mutex::default(),
        }
    }

    /// The last token, or a new one.
    pub(super) async fn token(&self, server: &Server) -> Result<Arc<AccessToken>, NotifyError> {
        let mut last = self.last.lock().await;
        if let Some(token) = last.as_ref().filter(|it| Instant::now() < it.use_until) {
            return Ok(Arc::clone(token));
        }
        let token = Arc::new(self.fetch(server).await?);
        *last = Some(Arc::clone(&token));
        Ok(token)
    }

    /// This token is not used again.
    pub(super) async fn forget(&self, token: &Arc<AccessToken>) {
        let mut last = self.last.lock().await;
        last.take_if(|last| Arc::ptr_eq(last, token));
    }

    pub(super) async fn forget_all(&self) {
        *self.last.lock().await = None;
    }

    async fn fetch(&self, server: &Server) -> Result<AccessToken, NotifyError> {
        let asked = Instant::now();
        let request = Request::post(self.token_endpoint.clone())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(AUTHORIZATION, &self.credentials)
            .body(Full::new(Bytes::from_static(
                b"grant_type=client_credentials",
            )))
            .map_err(|error| NotifyError::new(NotifyErrorKind::Configuration).caused_by(error))?;
        let answer = server.send(request).await?;
        match answer.status {
            StatusCode::OK => {}
            // RFC 6749 §5.2: 400 is also the status for a client that must not use the grant.
            StatusCode::BAD_REQUEST => {
                return Err(NotifyError::new(NotifyErrorKind::Unauthorized));
            }
            _ => return Err(answer.error()),
        }
        let malformed = || NotifyError::malformed("the token response is malformed");
        let members = Members::parse(&answer.body).map_err(|_| malformed())?;
        let token = members.get("access_token").and_then(Value::as_str);
        let token = Secret::new(token.filter(|it| !it.is_empty()).ok_or_else(malformed)?);
        let lifetime = members.get("expires_in").and_then(Value::as_u64);
        let lifetime = Duration::from_secs(lifetime.unwrap_or(DEFAULT_LIFETIME).min(MAX_LIFETIME));
        Ok(AccessToken {
            authorization: bearer(&token).ok_or_else(malformed)?,
            use_until: asked + lifetime.saturating_sub(MARGIN),
        })
    }
}
