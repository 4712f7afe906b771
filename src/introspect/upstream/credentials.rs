//! How this server authenticates to the other one.

use hyper::header::HeaderValue;

use super::UpstreamError;
use crate::{
    outbound::{basic, basic_raw, bearer},
    token::Secret,
};

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
            Self::Bearer(token) => Some(bearer(token).ok_or(UpstreamError::configuration(
                "the bearer token has characters that no header may have",
            ))?),
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
