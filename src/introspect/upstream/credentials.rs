//! How this server authenticates to the other one.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::header::HeaderValue;

use super::UpstreamError;
use crate::token::Secret;

/// The credentials of this server.
#[derive(Clone)]
pub(super) enum ServerCredentials {
    None,
    Basic(String, Secret),
    BasicRaw(String, Secret),
    Post(String, Secret),
    Bearer(Secret),
}

impl ServerCredentials {
    /// The value of `Authorization`, if the credentials are sent there.
    pub(super) fn authorization(&self) -> Result<Option<HeaderValue>, UpstreamError> {
        Ok(match self {
            Self::Basic(client_id, secret) => Some(basic(client_id, secret)),
            Self::BasicRaw(client_id, secret) => Some(basic_raw(client_id, secret)),
            Self::Bearer(token) => Some(bearer(token)?),
            Self::None | Self::Post(..) => None,
        })
    }

    /// The client and its secret, if they are sent in the body.
    pub(super) fn in_body(self) -> Option<(String, Secret)> {
        match self {
            Self::Post(client_id, secret) => Some((client_id, secret)),
            _ => None,
        }
    }
}

/// Both halves form-encoded, then joined in base64 (RFC 6749 §2.3.1).
fn basic(client_id: &str, secret: &Secret) -> HeaderValue {
    let (id, secret) = (form_encoded(client_id), form_encoded(secret.expose()));
    basic_raw(id.expose(), &secret)
}

/// Both halves as they are, joined in base64 (RFC 7617 §2).
fn basic_raw(client_id: &str, secret: &Secret) -> HeaderValue {
    let pair = Secret::new(format!("{client_id}:{}", secret.expose()));
    let pair = Secret::new(STANDARD.encode(pair.expose()));
    authorization("Basic", &pair).expect("base64 is visible ASCII")
}

/// An access token of this server (RFC 6750 §2.1).
fn bearer(token: &Secret) -> Result<HeaderValue, UpstreamError> {
    authorization("Bearer", token).ok_or(UpstreamError::configuration(
        "the bearer token has characters that no header may have",
    ))
}

/// The header value, marked as sensitive: its `Debug` output is redacted.
fn authorization(scheme: &str, credentials: &Secret) -> Option<HeaderValue> {
    let text = Secret::new(format!("{scheme} {}", credentials.expose()));
    let mut value = HeaderValue::from_str(text.expose()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn form_encoded(text: &str) -> Secret {
    let pair = serde_urlencoded::to_string([("", text)]).map(Secret::new);
    let pair = pair.expect("a string can be form-encoded");
    Secret::new(pair.expose().trim_start_matches('='))
}
