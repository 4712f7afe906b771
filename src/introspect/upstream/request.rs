//! What is sent, and what counts as an answer?

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Request,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};

use super::{UpstreamError, cache::Answer, config::Config};
use crate::{log::NumericDate, outbound::HttpClient, token::Secret};

/// More than any answer needs.
pub(super) const MAX_SIZE: usize = 64 * 1024;
/// What is longer is not kept: the memory of the cache is its capacity times this, about.
const MAX_KEPT: usize = 4 * 1024;

/// Who goes and asks.
pub(super) struct Asking {
    config: Config,
    connector: HttpClient,
}

impl Asking {
    pub(super) fn new(config: Config) -> Self {
        Self {
            connector: HttpClient::new(config.reach.clone()),
            config,
        }
    }

    pub(super) async fn ask(&self, token: Secret) -> Result<Answer, UpstreamError> {
        let config = &self.config;
        let mut form = vec![("token", token.expose())];
        if let Some((client_id, secret)) = &config.in_body {
            form.push(("client_id", client_id));
            form.push(("client_secret", secret.expose()));
        }
        let form = serde_urlencoded::to_string(form)
            .map_err(|_| UpstreamError::configuration("the token cannot be form-encoded"))?;
        let mut request = Request::post(config.uri.clone())
            .header(ACCEPT, config.media_type())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))
            .map_err(|error| UpstreamError::configuration("this is no URI").caused_by(error))?;
        if let Some(field) = &config.authorization {
            request.headers_mut().insert(AUTHORIZATION, field.clone());
        }
        let (headers, body) = self.connector.ask(request).await?;
        if !is_of_type(&headers, config.media_type()) {
            return Err(UpstreamError::malformed(
                "the answer is of another media type",
            ));
        }
        let known = match &config.signed {
            Some(signed) => {
                let answer = signed.verified(&body, NumericDate::now())?;
                config.dialect.interpret(&token, &answer)?
            }
            None => config.dialect.read(&token, &body)?,
        };
        Ok(Answer {
            token: known,
            is_small: body.len() <= MAX_KEPT,
        })
    }
}

/// Whether it is said once that it is of this type.
fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else {
        return false;
    };
    let essence = one.as_bytes().split(|octet| *octet == b';').next();
    essence.is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case(media_type.as_bytes()))
}

fn encoded(text: &str) -> Secret {
    let pair = serde_urlencoded::to_string([("", text)]).map(Secret::new);
    let pair = pair.expect("a string can be form-encoded");
    Secret::new(pair.expose().trim_start_matches('='))
}

/// Both halves form-encoded, and then in base64 (RFC 6749 §2.3.1).
pub(super) fn basic(client_id: &str, secret: &Secret) -> HeaderValue {
    let (id, secret) = (encoded(client_id), encoded(secret.expose()));
    basic_raw(id.expose(), &secret)
}

/// Both halves as they are, in base64 (RFC 7617 §2).
pub(super) fn basic_raw(client_id: &str, secret: &Secret) -> HeaderValue {
    let pair = Secret::new(format!("{client_id}:{}", secret.expose()));
    let pair = Secret::new(STANDARD.encode(pair.expose()));
    authorization("Basic", &pair).expect("base64 is visible ASCII")
}

pub(super) fn bearer(token: &Secret) -> Result<HeaderValue, UpstreamError> {
    let no_token = UpstreamError::configuration("the bearer token cannot be sent");
    authorization("Bearer", token).ok_or(no_token)
}

/// The field, which is not shown where fields are.
fn authorization(scheme: &str, credentials: &Secret) -> Option<HeaderValue> {
    let text = Secret::new(format!("{scheme} {}", credentials.expose()));
    let mut field = HeaderValue::from_str(text.expose()).ok()?;
    field.set_sensitive(true);
    Some(field)
}
