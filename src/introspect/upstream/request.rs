//! One introspection request, and what counts as a response to it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Request,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};

use super::{
    UpstreamError,
    config::Config,
    limits::{MAX_CACHED, MAX_ENTRY},
    response::Response,
};
use crate::{log::NumericDate, outbound::HttpClient, token::Secret};

/// The introspection endpoint of the other server (RFC 7662 §2).
pub(super) struct IntrospectionEndpoint {
    config: Config,
    http_client: HttpClient,
}

impl IntrospectionEndpoint {
    pub(super) fn new(config: Config) -> Self {
        Self {
            http_client: HttpClient::new(config.connection.clone()),
            config,
        }
    }

    /// Sends one request about this token and reads the response.
    pub(super) async fn introspect(&self, token: Secret) -> Result<Response, UpstreamError> {
        let config = &self.config;
        let (headers, body) = self.http_client.fetch(self.request(&token)?).await?;
        if !has_media_type(&headers, config.media_type()) {
            return Err(UpstreamError::malformed(
                "the response has another media type",
            ));
        }
        let introspected = match &config.signer {
            Some(signer) => {
                let members = signer.verify(&body, NumericDate::now())?;
                config.claim_names.read_members(&token, &members)?
            }
            None => config.claim_names.read(&token, &body)?,
        };
        let memory = introspected.token().map_or(0, |token| token.memory());
        Ok(Response {
            is_cacheable: body.len() <= MAX_CACHED && memory <= MAX_ENTRY,
            introspected,
        })
    }

    fn request(&self, token: &Secret) -> Result<Request<Full<Bytes>>, UpstreamError> {
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
            .map_err(|error| UpstreamError::configuration("the URI is invalid").caused_by(error))?;
        if let Some(value) = &config.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        Ok(request)
    }
}

/// Whether there is exactly one `Content-Type`, of this media type.
fn has_media_type(headers: &HeaderMap, media_type: &str) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else {
        return false;
    };
    let essence = one.as_bytes().split(|byte| *byte == b';').next();
    essence.is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case(media_type.as_bytes()))
}
