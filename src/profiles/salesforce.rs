//! Salesforce.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response, StatusCode, Uri};

use super::{Answer, Call, Parameters, Profile, ProfileRequest, possession, profile::POST};
use crate::{
    endpoint::Callback,
    error::{Error, ErrorKind},
    revoke::RevocationOptions,
    token::Outcome,
};

#[doc = include_str!("salesforce.md")]
#[derive(Clone, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Salesforce {
    is_strict: bool,
    allows_jsonp: bool,
}

impl Salesforce {
    /// The profile with 200 for an unknown token, and without `GET`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether an unknown token is 400 `invalid_token`, as Salesforce responds. Defaults to
    /// `false`: 200, as RFC 7009 §2.2 requires. **With `true`, anybody can find out whether a token
    /// exists.**
    pub fn strict(mut self, is_strict: bool) -> Self {
        self.is_strict = is_strict;
        self
    }

    /// Accepts `GET` with the token in the query, with and without a `callback`. Defaults to `false`.
    ///
    /// See [`RevocationLayer::dangerously_allow_jsonp`](crate::RevocationLayer::dangerously_allow_jsonp)
    /// for the dangers.
    pub fn dangerously_allow_jsonp(mut self, is_allowed: bool) -> Self {
        self.allows_jsonp = is_allowed;
        self
    }
}

const GET_OR_POST: &[Method] = &[Method::GET, Method::POST];

impl Profile for Salesforce {
    /// The name of the function that the script calls.
    type State = Option<String>;

    fn methods(&self, rest: &str) -> &'static [Method] {
        match (rest.is_empty(), self.allows_jsonp) {
            (true, true) => GET_OR_POST,
            (true, false) => POST,
            (false, _) => &[],
        }
    }

    async fn call(
        &self,
        mut request: ProfileRequest,
        callback: &mut Option<String>,
    ) -> Result<Call, Error> {
        if request.head.method == Method::POST {
            let parameters = request.form()?;
            return possession::revoke(request, &parameters, RevocationOptions::new());
        }
        let query = request.head.uri.query().unwrap_or_default();
        let parameters = Parameters::from_form(query.as_bytes())?;
        if let Some(name) = parameters.value("callback")? {
            let invalid = || Error::invalid_request("The callback is not valid");
            *callback = Some(Callback::new(name.expose()).ok_or_else(invalid)?.into());
        }
        // The endpoint accepts no token in a query.
        request.head.uri = Uri::default();
        possession::revoke(request, &parameters, RevocationOptions::new())
    }

    fn response(&self, answer: Answer, callback: Option<String>) -> Response<Full<Bytes>> {
        let is_unknown = self.is_strict && matches!(answer.result(), Ok(Outcome::NotFound));
        let unknown = || Error::new(ErrorKind::InvalidRequest).code("invalid_token");
        if let Some(callback) = callback.as_deref().and_then(Callback::new) {
            let error = answer.result().err().cloned();
            return callback.script(error.or_else(|| is_unknown.then(unknown)));
        }
        if is_unknown {
            return answer
                .status(StatusCode::BAD_REQUEST)
                .body("application/json", r#"{"error":"invalid_token"}"#);
        }
        answer.into_response()
    }
}
