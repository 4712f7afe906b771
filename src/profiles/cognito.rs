//! Amazon Cognito.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Response, StatusCode, header::HeaderName};
use serde_json::json;

use super::{Answer, Call, Profile, ProfileRequest};
use crate::{
    error::{Error, ErrorKind},
    introspect::TokenKind,
    revoke::{Cascade, RevocationOptions},
};

#[doc = include_str!("cognito.md")]
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Cognito;

/// The same call as the action `RevokeToken` of the Cognito API: see [`Cognito`]. Its path is `/`. Another
/// action on it is 400, and a request without the field `X-Amz-Target` is not for it: the inner service
/// gets it.
///
/// The status of 429, 500 and 503 is that of the standard response, because a retry may help. The original
/// responds to the first with 400.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct CognitoApi;

impl Profile for Cognito {
    type State = ();

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        Ok(request.revoke_form()?.options(refresh_tokens_only()))
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        answer.into_response()
    }
}

impl Profile for CognitoApi {
    type State = ();

    fn is_call(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(TARGET)
    }

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        if request
            .head
            .headers
            .get(TARGET)
            .is_none_or(|target| target != REVOKE_TOKEN)
        {
            return Err(Error::invalid_request("There is no such action").code(UNKNOWN));
        }
        let mut parameters = request.json_of_any_type()?;
        parameters.rename("Token", "token")?;
        parameters.rename("ClientId", "client_id")?;
        parameters.rename("ClientSecret", "client_secret")?;
        Ok(request.revoke(parameters).options(refresh_tokens_only()))
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        let Err(error) = answer.result() else {
            return answer.empty();
        };
        let (status, kind) = match error.kind() {
            ErrorKind::InvalidClient | ErrorKind::InvalidGrant => {
                (StatusCode::BAD_REQUEST, "UnauthorizedException")
            }
            ErrorKind::UnsupportedTokenType => {
                (StatusCode::BAD_REQUEST, "UnsupportedTokenTypeException")
            }
            ErrorKind::TooManyRequests => (StatusCode::BAD_REQUEST, "TooManyRequestsException"),
            ErrorKind::Unavailable | ErrorKind::ServerError => {
                (StatusCode::SERVICE_UNAVAILABLE, "InternalErrorException")
            }
            _ if error.error_code() == Some(UNKNOWN) => (StatusCode::BAD_REQUEST, UNKNOWN),
            _ => (StatusCode::BAD_REQUEST, "InvalidParameterException"),
        };
        let message = error
            .error_description()
            .unwrap_or("The token was not revoked");
        let body = json!({ "__type": kind, "message": message }).to_string();
        answer
            .status(status)
            .body("application/x-amz-json-1.1", body)
    }
}

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const REVOKE_TOKEN: &str = "AWSCognitoIdentityProviderService.RevokeToken";
const UNKNOWN: &str = "UnknownOperationException";

fn refresh_tokens_only() -> RevocationOptions {
    RevocationOptions::new()
        .only(TokenKind::RefreshToken)
        .refresh_token_cascade(Cascade::Grant)
}
