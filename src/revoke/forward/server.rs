//! The revocation endpoint of the other server, and the request to it.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Request, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};

use super::{audience, response};
use crate::{
    Error, ErrorKind,
    client::{Credentials, Refusal, WithCredentials},
    outbound::{ConnectionSettings, HttpClient},
    token::{Secret, TokenTypeHint},
};

/// The limit for a response. Error responses are small.
const MAX_SIZE: usize = 64 * 1024;

/// The revocation endpoint of another server.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) uri: Uri,
    /// The values of `aud` in assertions for that server.
    pub(super) audiences: Vec<String>,
    pub(super) connection: ConnectionSettings,
    http_client: Arc<HttpClient>,
}

impl Server {
    pub(super) fn new(uri: Uri) -> Self {
        let connection = ConnectionSettings {
            max_size: MAX_SIZE,
            // The operator has chosen the server, and the URI was checked.
            allow_private: true,
            allow_http: true,
            // On a kept connection that has broken, it is unknown whether the request was carried
            // out. An assertion can be used only once, so the request cannot be repeated.
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

    /// Checks that the other server can accept these credentials.
    ///
    /// # Errors
    ///
    /// Fails with the refusal if an assertion or a proof is for another server.
    pub(super) fn check_audience<C>(&self, client: &WithCredentials<C>) -> Result<(), Error> {
        let is_for_it = match client.credentials() {
            Credentials::Assertion {
                client_assertion, ..
            } => audience::contains(client_assertion.expose(), &self.audiences),
            Credentials::Attestation { .. } => match client.attestation()[1] {
                [proof] => audience::contains(proof.to_str().unwrap_or_default(), &self.audiences),
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

    /// Sends the revocation once.
    ///
    /// # Errors
    ///
    /// Fails with the error for the client.
    pub(super) async fn revoke<C>(
        &self,
        client: &WithCredentials<C>,
        token: &Secret,
        hint: Option<&TokenTypeHint>,
    ) -> Result<(), Error> {
        let request = self.request(client, token, hint)?;
        let sent = self.http_client.send_once(request).await;
        let (status, headers, body) = sent.map_err(|error| response::unavailable(error.into()))?;
        match status {
            // RFC 7009 §2.2 requires 200. Some servers send 204, and some send 200 with an error.
            StatusCode::OK | StatusCode::NO_CONTENT if response::code(&body).is_none() => Ok(()),
            StatusCode::OK => Err(response::error(StatusCode::BAD_REQUEST, &headers, &body)),
            _ => Err(response::error(status, &headers, &body)),
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

/// Returns the Authorization field that the client has sent. `Debug` does not show its value.
fn authorization(user_pass: &Secret) -> Result<HeaderValue, Error> {
    let pair = Secret::new(STANDARD.encode(user_pass.expose()));
    let text = Secret::new(format!("Basic {}", pair.expose()));
    let mut field = HeaderValue::from_str(text.expose())
        .map_err(|error| Error::new(ErrorKind::ServerError).caused_by(error))?;
    field.set_sensitive(true);
    Ok(field)
}
