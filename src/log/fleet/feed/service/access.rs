//! Who may follow?

use hyper::{Response, http::request::Parts};

use super::{super::relay::Credential, FeedBody, respond, tokens::Tokens};

pub(super) enum Access {
    Tokens(Tokens),
    Check(Box<Check>),
}

/// Returns what a request has shown, if it is accepted.
pub(super) type Check = dyn Fn(&Parts) -> Option<Credential> + Send + Sync;

impl Access {
    /// Returns what a request has shown, or else the response to a request that is refused.
    pub(super) async fn credential(&self, head: &Parts) -> Result<Credential, Response<FeedBody>> {
        match self {
            Self::Tokens(tokens) => {
                let shown = tokens.accept(&head.headers).await;
                shown.ok_or_else(respond::unauthorized)
            }
            Self::Check(check) => check(head).ok_or_else(respond::forbidden),
        }
    }
}
