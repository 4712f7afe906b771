//! Square.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
};
use serde_json::json;

use super::{Answer, Call, Profile, ProfileRequest};
use crate::{
    error::{Error, ErrorKind},
    revoke::{Cascade, ClientOrder, RevocationOptions},
    token::Secret,
};

#[doc = include_str!("square.md")]
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Square;

impl Profile for Square {
    /// Whether the `Authorization` field is wrong.
    type State = bool;

    async fn call(&self, mut request: ProfileRequest, bad: &mut bool) -> Result<Call, Error> {
        let mut parameters = request.json()?;
        let Some(secret) = take_secret(&mut request.head.headers) else {
            *bad = true;
            return Err(Error::new(ErrorKind::InvalidRequest));
        };
        parameters.insert("client_secret", secret)?;
        let merchant = parameters.take("merchant_id")?;
        let is_only = parameters.take_switch("revoke_only_access_token")?;
        parameters.rename("access_token", "token")?;
        match (merchant, parameters.has("token")) {
            (Some(merchant), false) if is_only != Some(true) => {
                let order = ClientOrder::new().subject(merchant.expose());
                Ok(request.revoke(parameters).order(order))
            }
            (None, true) => {
                let cascade = match is_only {
                    Some(true) => Cascade::Token,
                    Some(false) | None => Cascade::SubjectAndClient,
                };
                let options = RevocationOptions::new().cascade(cascade);
                Ok(request.revoke(parameters).options(options))
            }
            _ => Err(Error::invalid_request(
                "Either access_token or merchant_id is needed",
            )),
        }
    }

    fn response(&self, answer: Answer, bad: bool) -> Response<Full<Bytes>> {
        if bad {
            let body = json!({
                "message": "bad authorization header",
                "type": "bad_request.invalid_parameter",
            });
            return answer.body(JSON, body.to_string());
        }
        let (category, code) = match answer.result() {
            Ok(_) => return answer.body(JSON, r#"{"success":true}"#),
            Err(error) => match error.kind() {
                ErrorKind::InvalidClient | ErrorKind::InvalidGrant => {
                    ("AUTHENTICATION_ERROR", "UNAUTHORIZED")
                }
                ErrorKind::TooManyRequests => ("RATE_LIMIT_ERROR", "RATE_LIMITED"),
                ErrorKind::Unavailable => ("API_ERROR", "SERVICE_UNAVAILABLE"),
                ErrorKind::ServerError => ("API_ERROR", "INTERNAL_SERVER_ERROR"),
                _ => ("INVALID_REQUEST_ERROR", "BAD_REQUEST"),
            },
        };
        let answer = match code {
            "UNAUTHORIZED" => answer
                .status(StatusCode::UNAUTHORIZED)
                .header(WWW_AUTHENTICATE, CHALLENGE),
            _ if answer.is(ErrorKind::UnsupportedMediaType) => {
                answer.header(ACCEPT, HeaderValue::from_static(JSON))
            }
            _ => answer,
        };
        let errors = json!({ "errors": [{ "category": category, "code": code }] });
        answer.body(JSON, errors.to_string())
    }
}

const JSON: &str = "application/json";
const CHALLENGE: HeaderValue = HeaderValue::from_static("Client realm=\"oauth\"");

/// Takes the secret from `Authorization: Client …`.
fn take_secret(headers: &mut HeaderMap) -> Option<Secret> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next().map(HeaderValue::to_str), fields.next()) else {
        return None;
    };
    let (scheme, secret) = field.ok()?.split_once(' ')?;
    let secret = secret.trim_start_matches(' ');
    let secret =
        (scheme.eq_ignore_ascii_case("client") && !secret.is_empty()).then(|| Secret::from(secret));
    headers.remove(AUTHORIZATION);
    secret
}
