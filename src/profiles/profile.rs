//! What a profile is.

use std::{fmt, future::Future};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response,
    header::{self, HeaderValue},
    http::request::Parts,
};

use super::{Answer, Call, Parameters};
use crate::{
    client::Credentials,
    error::{Error, ErrorKind},
};

/// How clients of another system revoke tokens.
///
/// Implement it for a system of your own:
///
/// ```
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use hyper::{Response, StatusCode};
/// use tower_revocation::{
///     Error,
///     profiles::{Answer, Call, Profile, ProfileRequest},
/// };
///
/// /// `key` instead of `token`, and the word `done` as the response.
/// struct Legacy;
///
/// impl Profile for Legacy {
///     type State = ();
///
///     async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
///         let mut parameters = request.form()?;
///         parameters.rename("key", "token")?;
///         Ok(request.revoke(parameters))
///     }
///
///     fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
///         match answer.result() {
///             Ok(_) => answer.body("text/plain", "done"),
///             Err(_) => answer.into_response(),
///         }
///     }
/// }
/// ```
pub trait Profile: Send + Sync + 'static {
    /// What the response needs to know of the request. It starts as its default.
    type State: Default + Send;

    /// Returns the methods of the call at `rest`, the part of the path below the path of the profile.
    /// Returns none if there is no call: the inner service then gets the request. By default there is
    /// one call, `POST` on the path itself.
    ///
    /// **`rest` is compared byte for byte**, without any normalisation. It is empty or starts with
    /// `/`.
    fn methods(&self, rest: &str) -> &'static [Method] {
        if rest.is_empty() { POST } else { &[] }
    }

    /// Translates a request. Write it as an `async fn`.
    ///
    /// # Errors
    ///
    /// Fails if the request is not a call of the system, usually with
    /// [`InvalidRequest`](ErrorKind::InvalidRequest). Then nothing is revoked.
    fn call(
        &self,
        request: ProfileRequest,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<Call, Error>> + Send;

    /// Creates the response. `state` is what [`call`](Self::call) left, also if it failed. If the body
    /// could not be read, it is the default.
    ///
    /// A profile cannot change the status of 405, 408, 413, 429, 500 and 503, nor `Retry-After`: they
    /// are set afterwards. Every response gets `Cache-Control: no-store`.
    fn response(&self, answer: Answer, state: Self::State) -> Response<Full<Bytes>>;
}

/// A request for a [`Profile`]: its head, and its whole body.
/// `Debug` prints only the path.
#[non_exhaustive]
pub struct ProfileRequest {
    /// The head.
    pub head: Parts,
    /// The part of the path below the path of the profile.
    pub rest: String,
    /// The body.
    pub body: Bytes,
}

impl ProfileRequest {
    /// Reads a form.
    ///
    /// # Errors
    ///
    /// [`UnsupportedMediaType`](ErrorKind::UnsupportedMediaType) if the body is not a form, and
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) if it is malformed.
    pub fn form(&self) -> Result<Parameters, Error> {
        match media_type(&self.head.headers)? {
            FORM => Parameters::from_form(&self.body),
            _ => Err(Error::new(ErrorKind::UnsupportedMediaType)),
        }
    }

    /// Reads an object of strings and booleans in JSON.
    ///
    /// # Errors
    ///
    /// [`UnsupportedMediaType`](ErrorKind::UnsupportedMediaType) if the body is not JSON, and
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) if it is malformed, has a member twice or a
    /// member of another type.
    pub fn json(&self) -> Result<Parameters, Error> {
        match media_type(&self.head.headers)? {
            JSON => Parameters::from_json(&self.body),
            _ => Err(Error::new(ErrorKind::UnsupportedMediaType)),
        }
    }

    /// Reads a form or JSON, as the media type says.
    ///
    /// # Errors
    ///
    /// As [`form`](Self::form) and [`json`](Self::json).
    pub fn form_or_json(&self) -> Result<Parameters, Error> {
        match media_type(&self.head.headers)? {
            FORM => Parameters::from_form(&self.body),
            JSON => Parameters::from_json(&self.body),
            _ => Err(Error::new(ErrorKind::UnsupportedMediaType)),
        }
    }

    /// Reads an object of strings and booleans in JSON, whatever the media type. Some clients send JSON
    /// with the media type of a form, which is the default of curl.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) as [`json`](Self::json).
    pub fn json_of_any_type(&self) -> Result<Parameters, Error> {
        Parameters::from_json(&self.body)
    }

    /// Sorts the credentials in these parameters and in the head, for an authenticator.
    ///
    /// # Errors
    ///
    /// As [`Credentials::from_request`].
    pub fn credentials(self, parameters: &Parameters) -> Result<Request<Credentials>, Error> {
        Credentials::from_request(self.head, &parameters.to_form())
    }

    /// The call to revoke the token in these parameters, with the credentials in them and in the head.
    #[must_use]
    pub fn revoke(self, parameters: Parameters) -> Call {
        Call::new(self.head, parameters)
    }
}

pub(super) const POST: &[Method] = &[Method::POST];
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The media type in lower case, without its parameters. A parameter `charset` must be UTF-8.
fn media_type(headers: &HeaderMap) -> Result<&'static str, Error> {
    let unsupported = || Error::new(ErrorKind::UnsupportedMediaType);
    let mut fields = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return Err(unsupported());
    };
    let field = field.to_str().map_err(|_| unsupported())?;
    let mut parts = field.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let known = [FORM, JSON]
        .into_iter()
        .find(|known| essence.eq_ignore_ascii_case(known));
    let is_utf8 = |part: &str| match part.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    if !parts.all(is_utf8) {
        return Err(unsupported());
    }
    known.ok_or_else(unsupported)
}

/// Whether the body has no coding, as the endpoint requires.
pub(super) fn has_identity_coding(headers: &HeaderMap) -> bool {
    let is_identity = |field: &HeaderValue| field.as_bytes().eq_ignore_ascii_case(b"identity");
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(is_identity)
}

impl fmt::Debug for ProfileRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileRequest")
            .field("rest", &self.rest)
            .finish_non_exhaustive()
    }
}
