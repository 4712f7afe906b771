//! Auth0.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{ACCEPT, HeaderValue},
};

use super::{Answer, Call, Profile, ProfileRequest};
use crate::{
    error::{Error, ErrorKind},
    revoke::{Cascade, RevocationOptions},
};

#[doc = include_str!("auth0.md")]
#[derive(Clone, Debug)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Auth0 {
    deletes_grant: bool,
}

impl Auth0 {
    /// The profile of a tenant whose refresh tokens revoke their grants.
    pub fn new() -> Self {
        Self {
            deletes_grant: true,
        }
    }

    /// Sets whether a refresh token revokes its whole grant, as the switch *Refresh Token Revocation
    /// Deletes Grant* of a tenant does. Defaults to `true`. With `false` only the token is revoked.
    pub fn deletes_grant(mut self, deletes_grant: bool) -> Self {
        self.deletes_grant = deletes_grant;
        self
    }
}

impl Default for Auth0 {
    fn default() -> Self {
        Self::new()
    }
}

impl Profile for Auth0 {
    type State = ();

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        let parameters = request.form_or_json()?;
        let cascade = if self.deletes_grant {
            Cascade::Grant
        } else {
            Cascade::Token
        };
        // An access token revokes only itself: the switch is about refresh tokens.
        let options = RevocationOptions::new().refresh_token_cascade(cascade);
        Ok(request.revoke(parameters).options(options))
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        if answer.result().is_ok() || answer.is(ErrorKind::InvalidGrant) {
            // The token of another client was not revoked. The response is that to an unknown token,
            // whatever body a success of the endpoint has.
            return answer.status(StatusCode::OK).empty();
        }
        if answer.is(ErrorKind::UnsupportedMediaType) {
            let types =
                HeaderValue::from_static("application/json, application/x-www-form-urlencoded");
            return answer.header(ACCEPT, types).into_response();
        }
        answer.into_response()
    }
}
