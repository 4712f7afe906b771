//! The calls of `/v1`, as the pages make them.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response,
    body::Body,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT},
    http::request::Parts,
};
use serde::{Serialize, de::DeserializeOwned};
use tower::{BoxError, Service, ServiceExt as _, util::BoxCloneSyncService};

use super::failure::Failure;
use crate::{
    admin::{Caller, Problem},
    client::{ClientAddr, PeerAddr},
    token::Secret,
};

/// A service of `/v1`. The pages are its client, so each decision and each event is its own.
#[derive(Clone)]
pub(super) struct Api(BoxCloneSyncService<Request<Full<Bytes>>, Response<Bytes>, Infallible>);

/// A call that is not sent yet.
pub(super) struct Call(Request<Full<Bytes>>);

impl Api {
    pub(super) fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let whole = service.then(async |response: Result<Response<B>, Infallible>| {
            let Ok(response) = response;
            let (head, body) = response.into_parts();
            match body.collect().await {
                Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
                // An incomplete document cannot be read, which is a failure.
                Err(_) => Ok(Response::new(Bytes::new())),
            }
        });
        Self(BoxCloneSyncService::new(whole))
    }

    /// Sends a call, and reads the document of the response.
    ///
    /// # Errors
    ///
    /// Fails with what the problem of the response says.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: Call) -> Result<T, Failure> {
        let body = self.send(call).await?;
        serde_json::from_slice(&body).map_err(|_| Failure::internal())
    }

    /// Sends a call, and returns the body of the response.
    ///
    /// # Errors
    ///
    /// Fails with what the problem of the response says.
    pub(super) async fn send(&self, call: Call) -> Result<Bytes, Failure> {
        let Ok(response) = self.0.clone().oneshot(call.0).await;
        let (head, body) = response.into_parts();
        if head.status.is_success() {
            return Ok(body);
        }
        let problem = serde_json::from_slice::<Problem>(&body);
        let mut failure = match problem {
            Ok(problem) => Failure::from(problem),
            Err(_) => Failure::new(head.status, "the request was refused"),
        };
        let delay = head.headers.get(RETRY_AFTER).map(HeaderValue::to_str);
        let delay = delay.and_then(Result::ok).map(str::parse);
        failure.retry_after = delay.and_then(Result::ok);
        Err(failure)
    }
}

impl Call {
    pub(super) fn get(uri: &str) -> Self {
        Self::new(Method::GET, uri, Bytes::new())
    }

    pub(super) fn delete(uri: &str) -> Self {
        Self::new(Method::DELETE, uri, Bytes::new())
    }

    pub(super) fn post(uri: &str, document: &impl Serialize) -> Self {
        let body = serde_json::to_vec(document).unwrap_or_default();
        let call = Self::new(Method::POST, uri, body.into());
        call.field(CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }

    fn new(method: Method, uri: &str, body: Bytes) -> Self {
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = method;
        // What is not a URI is no resource.
        *request.uri_mut() = uri.parse().unwrap_or_default();
        Self(request)
    }

    pub(super) fn field(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }

    /// With this token of a user.
    pub(super) fn bearer(self, token: &Secret) -> Self {
        let field = HeaderValue::try_from(format!("Bearer {}", token.expose()));
        // A token with other characters is none.
        let mut field = field.unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        field.set_sensitive(true);
        self.field(AUTHORIZATION, field)
    }

    /// On behalf of a request: from its address, and with its browser.
    pub(super) fn of(mut self, head: &Parts) -> Self {
        let extensions = self.0.extensions_mut();
        if let Some(address) = head.extensions.get::<PeerAddr>() {
            extensions.insert(*address);
        }
        if let Some(address) = head.extensions.get::<ClientAddr>() {
            extensions.insert(*address);
        }
        match head.headers.get(USER_AGENT) {
            Some(browser) => self.field(USER_AGENT, browser.clone()),
            None => self,
        }
    }

    /// As this operator.
    pub(super) fn by(mut self, caller: &Caller) -> Self {
        self.0.extensions_mut().insert(caller.clone());
        self
    }
}
