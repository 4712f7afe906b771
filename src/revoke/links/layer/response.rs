//! Which tokens does a server issue?

use hyper::{HeaderMap, header::CONTENT_ENCODING};

use super::request::{ContentType, media_type};
use crate::{jose::Members, token::Secret};

/// The tokens of a successful response (RFC 6749 §5.1).
pub(super) struct TokenResponse {
    pub(super) access_token: Secret,
    pub(super) refresh_token: Option<Secret>,
}

/// Whether the body is JSON, without a content coding.
pub(super) fn is_readable(headers: &HeaderMap) -> bool {
    let is_json = matches!(media_type(headers), Some(ContentType::Json));
    is_json && !headers.contains_key(CONTENT_ENCODING)
}

impl TokenResponse {
    /// `None` if it is no token response.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let members = Members::parse(json).ok()?;
        let text = |name| members.get(name)?.as_str().filter(|text| !text.is_empty());
        Some(Self {
            access_token: text("access_token")?.into(),
            refresh_token: text("refresh_token").map(Secret::from),
        })
    }
}
