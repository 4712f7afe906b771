//! Kustvakt, the API server of a corpus platform.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;

use super::{Answer, Call, Profile, ProfileRequest};
use crate::error::Error;

#[doc = include_str!("kustvakt.md")]
#[derive(Clone, Debug)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Kustvakt {
    has_success_body: bool,
}

impl Kustvakt {
    /// The profile with its success body.
    pub fn new() -> Self {
        Self {
            has_success_body: true,
        }
    }

    /// Sets whether the body of a success is `SUCCESS`. Defaults to `true`. With `false` it is empty.
    pub fn success_body(mut self, has_success_body: bool) -> Self {
        self.has_success_body = has_success_body;
        self
    }
}

impl Default for Kustvakt {
    fn default() -> Self {
        Self::new()
    }
}

impl Profile for Kustvakt {
    type State = ();

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        let mut parameters = request.form()?;
        parameters.rename("token_type", "token_type_hint")?;
        Ok(request.revoke(parameters))
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        match answer.result() {
            Ok(_) if self.has_success_body => {
                answer.body("application/json;charset=utf-8", "SUCCESS")
            }
            _ => answer.into_response(),
        }
    }
}
