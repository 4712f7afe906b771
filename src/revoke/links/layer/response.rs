//! Which tokens does a server issue?

use hyper::{Response, StatusCode, header::CONTENT_ENCODING};

use super::request::{ContentType, media_type};
use crate::{jose::Members, token::Secret};

/// The tokens of a successful response (RFC 6749 §5.1).
pub(super) struct TokenResponse {
    pub(super) access_token: Secret,
    pub(super) refresh_token: Option<Secret>,
}

/// Whether a response may have tokens that can be read.
pub(super) fn may_have_tokens<B>(response: &Response<B>) -> bool {
    let headers = response.headers();
    response.status() == StatusCode::OK
        && matches!(media_type(headers), Some(ContentType::Json))
        && !headers.contains_key(CONTENT_ENCODING)
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
