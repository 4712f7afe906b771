//! The request of a call.

use std::fmt;

use bytes::Bytes;
use hyper::{Request, http::request::Parts};

use super::{Call, Parameters, call::Form};
use crate::{
    endpoint::MediaType,
    error::{Error, ErrorKind},
};

/// A request for a [`Profile`](super::Profile): its head, and its whole body.
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
    /// Makes a request, for the tests of a profile. `rest` is the part of the path below that of the
    /// profile.
    ///
    /// ```
    /// use hyper::Request;
    /// use tower_revocation::profiles::ProfileRequest;
    ///
    /// let request = Request::post("/oauth/revoke")
    ///     .header("content-type", "application/json")
    ///     .body(r#"{"token":"v1.refresh"}"#)
    ///     .unwrap();
    /// let parameters = ProfileRequest::new(request, "").json().unwrap();
    /// assert_eq!(parameters.value("token").unwrap().unwrap().expose(), "v1.refresh");
    /// ```
    pub fn new(request: Request<impl Into<Bytes>>, rest: impl Into<String>) -> Self {
        let (head, body) = request.into_parts();
        Self {
            head,
            rest: rest.into(),
            body: body.into(),
        }
    }

    /// Reads a form.
    ///
    /// # Errors
    ///
    /// [`UnsupportedMediaType`](ErrorKind::UnsupportedMediaType) if the body is not a form, and
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) if it is malformed.
    pub fn form(&self) -> Result<Parameters, Error> {
        match self.media_type()? {
            MediaType::Form => Parameters::from_form(&self.body),
            MediaType::Json => Err(Error::new(ErrorKind::UnsupportedMediaType)),
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
        match self.media_type()? {
            MediaType::Json => Parameters::from_json(&self.body),
            MediaType::Form => Err(Error::new(ErrorKind::UnsupportedMediaType)),
        }
    }

    /// Reads a form or JSON, as the media type says.
    ///
    /// # Errors
    ///
    /// As [`form`](Self::form) and [`json`](Self::json).
    pub fn form_or_json(&self) -> Result<Parameters, Error> {
        match self.media_type()? {
            MediaType::Form => Parameters::from_form(&self.body),
            MediaType::Json => Parameters::from_json(&self.body),
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

    /// The call to revoke the token in these parameters, with the credentials in them and in the head.
    #[must_use]
    pub fn revoke(self, parameters: Parameters) -> Call {
        Call::new(self.head, Form::Of(parameters))
    }

    /// The call to revoke the token in the form of this request, for profiles that change no parameter.
    /// The endpoint reads the form.
    ///
    /// # Errors
    ///
    /// [`UnsupportedMediaType`](ErrorKind::UnsupportedMediaType) if the body is not a form.
    pub fn revoke_form(self) -> Result<Call, Error> {
        match self.media_type()? {
            MediaType::Form => Ok(Call::new(self.head, Form::AsItIs(self.body))),
            MediaType::Json => Err(Error::new(ErrorKind::UnsupportedMediaType)),
        }
    }

    /// The media type, by the rules of the endpoint.
    fn media_type(&self) -> Result<MediaType, Error> {
        let (media_type, charset) = MediaType::of(&self.head.headers)?;
        charset.check(&self.body)?;
        Ok(media_type)
    }
}

impl fmt::Debug for ProfileRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileRequest")
            .field("rest", &self.rest)
            .finish_non_exhaustive()
    }
}
