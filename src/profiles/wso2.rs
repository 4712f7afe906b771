//! WSO2 Identity Server.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{HeaderName, HeaderValue},
};
use sha2::{Digest as _, Sha256};

use super::{Answer, Call, Profile, ProfileRequest};
use crate::{
    endpoint::Callback,
    error::{Error, ErrorKind},
    introspect::TokenKind,
    revoke::{Cascade, RevocationOptions},
};

#[doc = include_str!("wso2.md")]
#[derive(Clone, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Wso2 {
    echoes_digests: bool,
    hides_foreign_tokens: bool,
    allows_jsonp: bool,
}

impl Wso2 {
    /// The profile without the fields of a success, and with 400 for the token of another client.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the fields `RevokedAccessToken` or `RevokedRefreshToken` and `AuthorizedUser` to a
    /// success. Their values are SHA-256 digests in base64url: the original puts the token and the
    /// name of the user there. Defaults to `false`.
    ///
    /// **The digest of a name hides nothing from those who can guess it**, such as an e-mail address:
    /// there is no salt, so that clients can compare it. Only the client of the token gets it.
    pub fn echo_digests(mut self, echoes_digests: bool) -> Self {
        self.echoes_digests = echoes_digests;
        self
    }

    /// Responds to the token of another client as WSO2 does: 401 `unauthorized_client`, as if the
    /// client had failed to authenticate. Defaults to `false`: 400 `invalid_grant`.
    pub fn foreign_tokens_as_wso2(mut self, hides_foreign_tokens: bool) -> Self {
        self.hides_foreign_tokens = hides_foreign_tokens;
        self
    }

    /// Responds to a form with a `callback` by a script that calls it. Defaults to `false`: `callback` is
    /// ignored.
    ///
    /// See [`RevocationLayer::dangerously_allow_jsonp`](crate::RevocationLayer::dangerously_allow_jsonp)
    /// for the form of the script. A `GET` stays 405. WSO2 does not check the name of the callback; here
    /// another one than a name with dots is 400.
    pub fn dangerously_allow_jsonp(mut self, is_allowed: bool) -> Self {
        self.allows_jsonp = is_allowed;
        self
    }
}

impl Profile for Wso2 {
    /// The digest of the presented token, if a response may show it, and the function that a script
    /// calls.
    type State = (Option<HeaderValue>, Option<String>);

    async fn call(&self, request: ProfileRequest, state: &mut Self::State) -> Result<Call, Error> {
        // A client that is registered without a secret may revoke one token, and no family.
        let options = RevocationOptions::new().public_client_cascade(Cascade::Token);
        if !self.allows_jsonp && !self.echoes_digests {
            return Ok(request.revoke_form()?.options(options));
        }
        let parameters = request.form()?;
        if self.allows_jsonp {
            if let Some(name) = parameters.value("callback")? {
                let invalid = || Error::invalid_request("The callback is not valid");
                state.1 = Some(Callback::new(name.expose()).ok_or_else(invalid)?.into());
            }
        }
        if self.echoes_digests {
            state.0 = parameters
                .value("token")?
                .map(|token| digest(token.expose()));
        }
        Ok(request.revoke(parameters).options(options))
    }

    fn response(
        &self,
        mut answer: Answer,
        (digest_of_token, callback): Self::State,
    ) -> Response<Full<Bytes>> {
        if let Some(callback) = callback.as_deref().and_then(Callback::new) {
            return callback.script(answer.result().err().cloned());
        }
        if answer.is(ErrorKind::InvalidGrant) && self.hides_foreign_tokens {
            return answer
                .status(StatusCode::UNAUTHORIZED)
                .header(hyper::header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"oauth\""))
                .body(
                    "application/json",
                    r#"{"error":"unauthorized_client","error_description":"Client Authentication failed."}"#,
                );
        }
        if answer.result().is_err() {
            return answer.into_response();
        }
        if let (Some(token), Some(digest_of_token)) = (answer.token().cloned(), digest_of_token) {
            let name = match token.kind {
                TokenKind::AccessToken => HeaderName::from_static("revokedaccesstoken"),
                TokenKind::RefreshToken => HeaderName::from_static("revokedrefreshtoken"),
            };
            answer = answer.header(name, digest_of_token);
            if let Some(user) = &token.sub {
                let name = HeaderName::from_static("authorizeduser");
                answer = answer.header(name, digest(user));
            }
        }
        answer.body("text/html", "")
    }
}

fn digest(text: &str) -> HeaderValue {
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(text));
    HeaderValue::try_from(digest).unwrap_or_else(|_| HeaderValue::from_static(""))
}
