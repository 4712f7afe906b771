//! Auth0.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};

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
        let options = RevocationOptions::new().cascade(cascade);
        Ok(request.revoke(parameters).options(options))
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        if answer.is(ErrorKind::InvalidGrant) {
            // As for an unknown token. It was not revoked.
            return answer.status(StatusCode::OK).empty();
        }
        answer.into_response()
    }
}
