//! Okta.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;

use super::{Answer, Call, Profile, ProfileRequest};
use crate::error::Error;

#[doc = include_str!("okta.md")]
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Okta;

impl Profile for Okta {
    type State = ();

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        request.revoke_form()
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        answer.into_response()
    }
}
