//! The authorization server of Ping Identity.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;

use super::{Answer, Call, Profile, ProfileRequest};
use crate::{
    error::Error,
    revoke::{Cascade, RevocationOptions},
};

#[doc = include_str!("pingam.md")]
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct PingAm;

impl Profile for PingAm {
    type State = ();

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        let options = RevocationOptions::new().refresh_token_cascade(Cascade::Grant);
        Ok(request.revoke_form()?.options(options))
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        answer.into_response()
    }
}
