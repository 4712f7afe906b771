//! Systems whose calls are those of RFC 7009 on other paths.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};

use super::{Answer, Call, Profile, ProfileRequest};
use crate::{
    error::{Error, ErrorKind},
    revoke::{Cascade, RevocationOptions},
};

#[doc = include_str!("okta.md")]
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Okta;

#[doc = include_str!("box.md")]
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct BoxPlatform;

#[doc = include_str!("pingam.md")]
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct PingAm;

impl Profile for Okta {
    type State = ();

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        let parameters = request.form()?;
        Ok(request.revoke(parameters))
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        answer.into_response()
    }
}

impl Profile for BoxPlatform {
    type State = ();

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        let parameters = request.form()?;
        Ok(request.revoke(parameters))
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        if answer.is(ErrorKind::InvalidClient) {
            return answer.status(StatusCode::BAD_REQUEST).body(
                "application/json",
                r#"{"error":"invalid_client","error_description":"The client credentials are not valid"}"#,
            );
        }
        answer.into_response()
    }
}

impl Profile for PingAm {
    type State = ();

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        let parameters = request.form()?;
        let options = RevocationOptions::new().refresh_token_cascade(Cascade::Grant);
        Ok(request.revoke(parameters).options(options))
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        answer.into_response()
    }
}
