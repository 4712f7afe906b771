//! The other server: what it is sent, and what its answer means.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Request, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
};

use super::{ForwardError, audience};
use crate::{
    Error, ErrorKind,
    client::{Credentials, Refusal, WithCredentials},
    jose::Members,
    outbound::{ConnectionSettings, HttpClient},
    token::{Secret, TokenTypeHint},
};

/// An error object is small.
const MAX_SIZE: usize = 64 * 1024;
/// A server that asks for more patience than that is asked earlier.
const LONGEST_RETRY_AFTER: u64 = 3600;

/// The revocation endpoint of another server.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) uri: Uri,
    /// What an assertion has as `aud` if it is for that server.
    pub(super) audiences: Vec<String>,
    pub(super) connection: ConnectionSettings,
    http_client: Arc<HttpClient>,
}

impl Server {
    pub(super) fn new(uri: Uri) -> Self {
        let connection = ConnectionSettings {
            max_size: MAX_SIZE,
            // The operator has named the server, and the URI has been judged.
            allow_private: true,
            allow_http: true,
            // A connection that was kept may be dead, and then nothing tells whether the request
            // was carried out: an assertion is good for one request.
            keep_alive: false,
            ..ConnectionSettings::default()
        };
        Self {
            audiences: vec![uri.to_string()],
            uri,
            http_client: Arc::new(HttpClient::new(connection.clone())),
            connection,
        }
    }

    pub(super) fn with_connection(mut self, set: impl FnOnce(&mut ConnectionSettings)) -> Self {
        set(&mut self.connection);
        self.http_client = Arc::new(HttpClient::new(self.connection.clone()));
        self
    }

    /// Whether these credentials can be of use to the other server.
    ///
    /// # Errors
    ///
    /// The refusal, for an assertion or a proof that is for somebody else.
    pub(super) fn admit<C>(&self, client: &WithCredentials<C>) -> Result<(), Error> {
        let is_for_it = match client.credentials() {
            Credentials::Assertion {
                client_assertion, ..
            } => audience::names(client_assertion.expose(), &self.audiences),
            Credentials::Attestation { .. } => match client.attestation()[1] {
                [proof] => audience::names(proof.to_str().unwrap_or_default(), &self.audiences),
                _ => Some(false),
            },
            _ => return Ok(()),
        };
        match is_for_it {
            Some(true) => Ok(()),
            Some(false) => Err(Error::refused(Refusal::WrongAudience)),
            None => Err(Error::refused(Refusal::MalformedAssertion)),
        }
    }

    /// Sends the revocation, once.
    ///
    /// # Errors
    ///
    /// What the peer is told instead of success.
    pub(super) async fn revoke<C>(
        &self,
        client: &WithCredentials<C>,
        token: &Secret,
        hint: Option<&TokenTypeHint>,
    ) -> Result<(), Error> {
        let request = self.request(client, token, hint)?;
        let sent = self.http_client.send_once(request).await;
        let (status, headers, body) = sent.map_err(|failure| unavailable(failure.into()))?;
        match status {
            // RFC 7009 §2.2 has 200; some servers say the same by 204.
            // And some say 200 to an error.
            StatusCode::OK | StatusCode::NO_CONTENT if code(&body).is_none() => Ok(()),
            StatusCode::OK => Err(refused(StatusCode::BAD_REQUEST, &headers, &body)),
            _ => Err(refused(status, &headers, &body)),
        }
    }

    fn request<C>(
        &self,
        client: &WithCredentials<C>,
        token: &Secret,
        hint: Option<&TokenTypeHint>,
    ) -> Result<Request<Full<Bytes>>, Error> {
        let mut form = vec![("token", token.expose())];
        form.extend(hint.map(|hint| ("token_type_hint", hint.as_str())));
        let mut headers = HeaderMap::new();
        match client.credentials() {
            Credentials::Basic(basic) => {
                let (user_pass, client_id) = basic.presented();
                headers.insert(AUTHORIZATION, authorization(user_pass)?);
                form.extend(client_id.map(|client_id| ("client_id", client_id)));
            }
            Credentials::Post {
                client_id,
                client_secret,
            } => form.extend([
                ("client_id", client_id.as_str()),
                ("client_secret", client_secret.expose()),
            ]),
            Credentials::ClientId { client_id } => form.push(("client_id", client_id)),
            Credentials::Assertion {
                client_id,
                client_assertion_type,
                client_assertion,
            } => {
                form.extend(client_id.iter().map(|id| ("client_id", id.as_str())));
                form.extend([
                    ("client_assertion_type", client_assertion_type.as_str()),
                    ("client_assertion", client_assertion.expose()),
                ]);
            }
            Credentials::Attestation { client_id } => {
                form.extend(client_id.iter().map(|id| ("client_id", id.as_str())));
                let names = [Credentials::ATTESTATION, Credentials::ATTESTATION_POP];
                for (name, values) in names.into_iter().zip(client.attestation()) {
                    for value in values {
                        headers.append(&name, value.clone());
                    }
                }
            }
        }
        let form = serde_urlencoded::to_string(form)
            .map_err(|error| Error::new(ErrorKind::ServerError).caused_by(error))?;
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        let mut request = Request::new(Full::new(Bytes::from(form)));
        *request.method_mut() = hyper::Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// The field as the client has sent it. It is not shown where fields are.
fn authorization(user_pass: &Secret) -> Result<HeaderValue, Error> {
    let pair = Secret::new(STANDARD.encode(user_pass.expose()));
    let text = Secret::new(format!("Basic {}", pair.expose()));
    let mut field = HeaderValue::from_str(text.expose())
        .map_err(|error| Error::new(ErrorKind::ServerError).caused_by(error))?;
    field.set_sensitive(true);
    Ok(field)
}

/// What an answer that is no success means for our client: what the other server says about the
/// request is passed on, and what it says about itself is 503.
fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let code = code(body);
    let code = code.as_deref();
    let error = match (status, code) {
        (
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN,
            Some(code),
        ) => told(code),
        _ => None,
    };
    let is_about_itself = matches!(code, Some("temporarily_unavailable" | "server_error"));
    let error = error.or(match status {
        StatusCode::BAD_REQUEST if !is_about_itself => Some(Error::new(ErrorKind::InvalidRequest)),
        StatusCode::UNAUTHORIZED if !is_about_itself => Some(Error::refused(Refusal::Unspecified)),
        // 403 without a code is somebody's who stands before the server.
        _ => None,
    });
    let answered = ForwardError::answered(status);
    if let Some(error) = error {
        return with_challenge(error, headers).caused_by(answered);
    }
    let error = unavailable(answered);
    match retry_after(headers) {
        Some(delay) => error.retry_after(delay),
        None => error,
    }
}

/// The `error` of an error object.
fn code(body: &[u8]) -> Option<String> {
    let object = Members::parse(body).ok()?;
    object.get("error")?.as_str().map(str::to_owned)
}

/// The codes of RFC 6749 §5.2, RFC 7009 §2.2.1 and attestation-based client authentication.
fn told(code: &str) -> Option<Error> {
    let invalid = || Error::new(ErrorKind::InvalidRequest);
    Some(match code {
        "invalid_request" => invalid(),
        "invalid_client" => Error::refused(Refusal::Unspecified),
        "invalid_grant" | "invalid_token" => Error::new(ErrorKind::InvalidGrant),
        "unsupported_token_type" => Error::new(ErrorKind::UnsupportedTokenType),
        "unauthorized_client" => invalid().code("unauthorized_client"),
        "access_denied" => invalid().code("access_denied"),
        "use_attestation_challenge" => invalid().code("use_attestation_challenge"),
        "use_fresh_attestation" => invalid().code("use_fresh_attestation"),
        "invalid_client_attestation" => invalid().code("invalid_client_attestation"),
        _ => return None,
    })
}

/// The challenge that a proof of possession needs next.
fn with_challenge(error: Error, headers: &HeaderMap) -> Error {
    let name: HeaderName = Credentials::ATTESTATION_CHALLENGE;
    match headers.get(&name) {
        Some(challenge) => error.header(name, challenge.clone()),
        None => error,
    }
}

/// `delay-seconds`; a date is as good as nothing.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds.min(LONGEST_RETRY_AFTER)))
}

fn unavailable(cause: ForwardError) -> Error {
    Error::new(ErrorKind::Unavailable).caused_by(cause)
}
