//! Who may follow?

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, http::request::Parts};

use super::{respond, tokens::Tokens};

pub(super) enum Access {
    Tokens(Tokens),
    Check(Box<dyn Fn(&Parts) -> bool + Send + Sync>),
}

impl Access {
    /// Returns the response to a request that is refused.
    pub(super) async fn refuse(&self, head: &Parts) -> Option<Response<Full<Bytes>>> {
        match self {
            Self::Tokens(tokens) => {
                let accepted = tokens.accept(&head.headers).await;
                (!accepted).then(respond::unauthorized)
            }
            Self::Check(check) => (!check(head)).then(respond::forbidden),
        }
    }
}
