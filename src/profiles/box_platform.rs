//! Box.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};

use super::{Answer, Call, Profile, ProfileRequest};
use crate::error::{Error, ErrorKind};

#[doc = include_str!("box.md")]
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct BoxPlatform;

impl Profile for BoxPlatform {
    type State = ();

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        request.revoke_form()
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
