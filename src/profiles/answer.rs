//! The result of a call, and the response of the endpoint to it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
};

use crate::{
    challenge,
    endpoint::{self, Script},
    error::{Error, ErrorKind},
    introspect::Introspection,
    token::Outcome,
};

/// The result of a call, and the standard response to it, for
/// [`Profile::response`](super::Profile::response).
#[derive(Debug)]
pub struct Answer {
    result: Result<Outcome, Error>,
    token: Option<Introspection>,
    response: Response<Full<Bytes>>,
}

impl Answer {
    /// Makes the answer of a success, for the tests of a profile.
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_revocation::{Outcome, profiles::Answer};
    ///
    /// let response = Answer::success(Outcome::Revoked, None).body("text/plain", "done");
    /// assert_eq!(response.status(), 200);
    /// ```
    #[must_use]
    pub fn success(outcome: Outcome, token: Option<Introspection>) -> Self {
        Self {
            token: token.filter(|_| outcome == Outcome::Revoked),
            ..Self::done(outcome)
        }
    }

    /// Makes the answer of a failure, for the tests of a profile.
    ///
    /// ```
    /// use tower_revocation::{Error, ErrorKind, profiles::Answer};
    ///
    /// let answer = Answer::failure(Error::new(ErrorKind::InvalidGrant));
    /// assert!(answer.is(ErrorKind::InvalidGrant));
    /// ```
    #[must_use]
    pub fn failure(error: Error) -> Self {
        Self::refused(error, true)
    }

    /// The answer to a request that never reached the endpoint.
    pub(super) fn refused(error: Error, http_1: bool) -> Self {
        Self {
            response: endpoint::failure(error.clone(), http_1),
            result: Err(error),
            token: None,
        }
    }

    /// This answer, after something has failed that follows a success. It keeps the fields for browsers.
    pub(super) fn failed(self, error: Error, http_1: bool) -> Self {
        let mut failed = Self::refused(error, http_1);
        for (name, value) in self.response.headers() {
            if name == header::VARY || name.as_str().starts_with("access-control-") {
                let headers = failed.response.headers_mut();
                headers.append(name, value.clone());
            }
        }
        failed
    }

    /// The answer to a call that the profile has carried out.
    pub(super) fn done(outcome: Outcome) -> Self {
        let mut response = Response::new(Full::default());
        endpoint::set_security_headers(response.headers_mut());
        response.extensions_mut().insert(outcome);
        Self {
            response,
            result: Ok(outcome),
            token: None,
        }
    }

    /// The answer of the endpoint.
    ///
    /// # Errors
    ///
    /// Fails if the response says nothing about the token, whatever its status is.
    pub(super) fn new(
        response: Response<Full<Bytes>>,
        token: Option<Introspection>,
    ) -> Result<Self, Error> {
        let extensions = response.extensions();
        let result = match (extensions.get::<Error>(), extensions.get::<Outcome>()) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(outcome)) if response.status().is_success() => Ok(*outcome),
            _ => {
                return Err(Error::new(ErrorKind::ServerError).caused_by(
                    "the response of the endpoint has neither an outcome nor an error",
                ));
            }
        };
        let is_revoked = matches!(result, Ok(Outcome::Revoked));
        Ok(Self {
            // What is known of the token of another client is not for this one.
            token: token.filter(|_| is_revoked),
            result,
            response,
        })
    }

    /// Returns the outcome of a success, or why the call failed.
    ///
    /// # Errors
    ///
    /// The error that the endpoint put into the extensions of its response. Never send its source to
    /// the peer.
    pub fn result(&self) -> Result<Outcome, &Error> {
        self.result.as_ref().copied()
    }

    /// Whether the call failed with an error of this kind.
    #[must_use]
    pub fn is(&self, kind: ErrorKind) -> bool {
        matches!(&self.result, Err(error) if error.kind() == kind)
    }

    /// Returns what is known of the token, if it is [`Revoked`](Outcome::Revoked) and the backend has
    /// told.
    #[must_use]
    pub fn token(&self) -> Option<&Introspection> {
        self.token.as_ref()
    }

    /// The standard response: that of RFC 7009 §2.2.
    #[must_use]
    pub fn into_response(self) -> Response<Full<Bytes>> {
        self.response
    }

    /// The standard response with another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        *self.response.status_mut() = status;
        self
    }

    /// The standard response with another field.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.response.headers_mut().insert(name, value);
        self
    }

    /// The standard response with this body.
    #[must_use]
    pub fn body(
        mut self,
        media_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Response<Full<Bytes>> {
        *self.response.body_mut() = Full::new(body.into());
        let headers = self.response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.remove(header::CONTENT_LENGTH);
        self.response
    }

    /// The standard response with an empty body.
    #[must_use]
    pub fn empty(mut self) -> Response<Full<Bytes>> {
        *self.response.body_mut() = Full::default();
        let headers = self.response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_LENGTH);
        self.response
    }
}

/// What every response of a profile has, whatever the profile returned.
pub(super) struct Invariant {
    /// The status and the `Retry-After`, if the profile must not change them.
    fixed: Option<(StatusCode, Option<HeaderValue>)>,
    error: Option<Error>,
}

impl Invariant {
    pub(super) fn of(answer: &Answer) -> Self {
        let error = answer.result.as_ref().err().cloned();
        let is_fixed = error.as_ref().is_some_and(|error| {
            matches!(
                error.kind(),
                // Mistakes of HTTP, which have one status.
                ErrorKind::MethodNotAllowed
                    | ErrorKind::UnsupportedContentCoding
                    | ErrorKind::BodyTooLarge
                    | ErrorKind::BodyTimeout
                    // A retry may help, so no other status may hide it.
                    | ErrorKind::TooManyRequests
                    | ErrorKind::Unavailable
                    | ErrorKind::ServerError
            )
        });
        let fixed = is_fixed.then(|| {
            let retry_after = answer.response.headers().get(header::RETRY_AFTER);
            (answer.response.status(), retry_after.cloned())
        });
        Self { fixed, error }
    }

    pub(super) fn apply(self, response: &mut Response<Full<Bytes>>) {
        // No page can read another status of a script than 200.
        let is_script = response.extensions().get::<Script>().is_some();
        if let Some((status, retry_after)) = self.fixed.filter(|_| !is_script) {
            *response.status_mut() = status;
            if let Some(retry_after) = retry_after {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, retry_after);
            }
        }
        if let Some(error) = self.error {
            response.extensions_mut().insert(error);
        }
        let is_unauthorized = response.status() == StatusCode::UNAUTHORIZED;
        let headers = response.headers_mut();
        // The server computes it from the body. Another one would break the connection.
        headers.remove(header::CONTENT_LENGTH);
        if is_unauthorized && !headers.contains_key(header::WWW_AUTHENTICATE) {
            // A 401 requires a challenge (RFC 9110 §15.5.2).
            headers.insert(header::WWW_AUTHENTICATE, challenge::basic("oauth"));
        }
        endpoint::set_security_headers(headers);
    }
}
