//! GitHub.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response, StatusCode};

use super::{Answer, Call, Profile, ProfileRequest};
use crate::{
    error::{Error, ErrorKind},
    revoke::{Cascade, RevocationOptions},
};

#[doc = include_str!("github.md")]
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct GitHub;

/// The client and the call in `/{client_id}/grant` and `/{client_id}/token`.
fn parts(rest: &str) -> Option<(&str, Cascade)> {
    let (client_id, call) = rest.strip_prefix('/')?.split_once('/')?;
    let cascade = match call {
        "grant" => Cascade::SubjectAndClient,
        "token" => Cascade::Token,
        _ => return None,
    };
    (!client_id.is_empty()).then_some((client_id, cascade))
}

impl Profile for GitHub {
    type State = ();

    fn methods(&self, rest: &str) -> &'static [Method] {
        const DELETE: &[Method] = &[Method::DELETE];
        if parts(rest).is_some() { DELETE } else { &[] }
    }

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        let mut parameters = request.json_of_any_type()?;
        parameters.rename("access_token", "token")?;
        let (client_id, cascade) =
            parts(&request.rest).ok_or_else(|| Error::new(ErrorKind::InvalidRequest))?;
        // The endpoint compares it with the credentials.
        parameters.insert("client_id", client_id)?;
        // The path names a client, and everybody knows it.
        let options = RevocationOptions::new()
            .cascade(cascade)
            .refuse_public_clients(true);
        Ok(request.revoke(parameters).options(options))
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        let (status, message) = match answer.result() {
            Ok(_) => return answer.status(StatusCode::NO_CONTENT).empty(),
            Err(error) => match error.kind() {
                ErrorKind::InvalidClient => (StatusCode::UNAUTHORIZED, "Bad credentials"),
                ErrorKind::InvalidGrant | ErrorKind::UnsupportedTokenType => {
                    (StatusCode::NOT_FOUND, "Not Found")
                }
                ErrorKind::InvalidRequest => {
                    (StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed")
                }
                _ => return answer.into_response(),
            },
        };
        let body = serde_json::json!({ "message": message }).to_string();
        answer
            .status(status)
            .body("application/json; charset=utf-8", body)
    }
}
