//! Apigee.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};

use super::{Answer, Call, Parameters, Profile, ProfileRequest};
use crate::{
    error::{Error, ErrorKind},
    log::NumericDate,
    revoke::{Cascade, ClientOrder, RevocationOptions},
    token::Secret,
};

#[doc = include_str!("apigee.md")]
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Apigee;

impl Profile for Apigee {
    type State = ();

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        check_query(request.head.uri.query())?;
        let mut parameters = request.form()?;
        match parameters.take("action")? {
            None => {}
            Some(action) if action.expose() == "revoke" => {}
            Some(action) if action.expose() == "approve" => {
                return Err(Error::invalid_request("A revoked token stays revoked").code(CONFLICT));
            }
            Some(_) => return Err(Error::invalid_request("There is no such action")),
        }
        let user = parameters.take("end_user_id")?;
        let app = parameters.take("app_id")?;
        let before = parameters.take("revoke_before_timestamp")?;
        if user.is_none() && app.is_none() {
            if before.is_some() {
                return Err(Error::invalid_request("A token is revoked as a whole"));
            }
            return revoke(request, parameters);
        }
        if parameters.has("token") {
            return Err(Error::invalid_request(
                "Either a token or a user and an app is needed",
            ));
        }
        if let Some(app) = app {
            // An app can only revoke its own tokens. The endpoint compares it.
            parameters.insert("client_id", app)?;
        }
        let mut order = ClientOrder::new();
        order.subject = user.map(|user| user.expose().to_owned());
        order.before = before.map(|date| timestamp(date.expose())).transpose()?;
        Ok(request.revoke(parameters).order(order))
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        let is_conflict = |error: &Error| error.error_code() == Some(CONFLICT);
        if answer.result().err().is_some_and(is_conflict) {
            return answer.status(StatusCode::CONFLICT).into_response();
        }
        answer.into_response()
    }
}

const CONFLICT: &str = "conflict";

fn revoke(request: ProfileRequest, mut parameters: Parameters) -> Result<Call, Error> {
    let kind = parameters.take("type")?;
    let hint = match kind.as_ref().map(Secret::expose) {
        None => None,
        Some("accesstoken") => Some("access_token"),
        Some("refreshtoken") => Some("refresh_token"),
        Some(_) => return Err(Error::invalid_request("There is no such type")),
    };
    // With a refresh token, its access token falls too, unless the call says otherwise.
    let is_refresh_token = hint == Some("refresh_token");
    if let Some(hint) = hint {
        parameters.insert("token_type_hint", hint)?;
    }
    let cascades = parameters.take_switch("cascade")?;
    let cascade = if cascades.unwrap_or(is_refresh_token) {
        Cascade::Grant
    } else {
        Cascade::Token
    };
    let options = RevocationOptions::new().cascade(cascade);
    Ok(request.revoke(parameters).options(options))
}

/// Policies often read the token from the query. It would be in the logs of every proxy.
fn check_query(query: Option<&str>) -> Result<(), Error> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query.unwrap_or_default()).unwrap_or_default();
    let is_token = |name: &str| matches!(name, "access_token" | "refresh_token");
    if pairs.iter().any(|(name, _)| is_token(name)) {
        return Err(Error::invalid_request(
            "Tokens are not allowed in the query",
        ));
    }
    Ok(())
}

/// A date in milliseconds since 1970.
fn timestamp(text: &str) -> Result<NumericDate, Error> {
    let milliseconds: Option<u64> = text.parse().ok();
    let milliseconds = milliseconds.ok_or_else(|| Error::new(ErrorKind::InvalidRequest))?;
    Ok(NumericDate::new(milliseconds / 1000))
}
