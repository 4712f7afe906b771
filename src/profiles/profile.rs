//! What a profile is.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Method, Response};

use super::{Answer, Call, ProfileRequest};
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;

/// How clients of another system revoke tokens.
///
/// Implement it for a system of your own. Test it alone with [`ProfileRequest::new`] and
/// [`Answer::success`], or behind a [`ProfileLayer`](super::ProfileLayer):
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

    /// Returns whether a request with these fields is a call at all, where the path and the method do not
    /// tell. If not, the inner service gets it. Defaults to `true`.
    fn is_call(&self, headers: &HeaderMap) -> bool {
        let _ = headers;
        true
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
    /// are set afterwards. It cannot set `Content-Length` either, which follows from the body. Every
    /// response gets `Cache-Control: no-store`, and a 401 without `WWW-Authenticate` gets one.
    fn response(&self, answer: Answer, state: Self::State) -> Response<Full<Bytes>>;
}

pub(super) const POST: &[Method] = &[Method::POST];
