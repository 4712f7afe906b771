//! How this server authenticates to another one in the `Authorization` field.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::header::HeaderValue;

use crate::token::Secret;

/// Both halves form-encoded, then joined in base64 (RFC 6749 §2.3.1).
pub(crate) fn basic(client_id: &str, secret: &Secret) -> HeaderValue {
    let (id, secret) = (form_encoded(client_id), form_encoded(secret.expose()));
    basic_raw(id.expose(), &secret)
}

/// Both halves as they are, joined in base64 (RFC 7617 §2).
pub(crate) fn basic_raw(client_id: &str, secret: &Secret) -> HeaderValue {
    let pair = Secret::new(format!("{client_id}:{}", secret.expose()));
    let pair = Secret::new(STANDARD.encode(pair.expose()));
    authorization("Basic", &pair).expect("base64 is visible ASCII")
}

/// An access token of this server (RFC 6750 §2.1). `None` if it has characters that no header may
/// have.
pub(crate) fn bearer(token: &Secret) -> Option<HeaderValue> {
    authorization("Bearer", token)
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
