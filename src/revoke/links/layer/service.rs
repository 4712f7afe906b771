//! The service that watches a token endpoint.

use std::{
    mem,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::{Request, Response, body::Body, header::ACCEPT_ENCODING};
use tower::{BoxError, Service, ServiceExt as _};

use super::{
    LearnLinksFuture, LearnLinksLayer, Shared, WatchedBody, count,
    refusal::Refusal,
    request::{TokenRequest, is_watched},
    response::{TokenResponse, is_readable},
};
use crate::{
    introspect::{Introspected, Introspection},
    log::LogError,
    revoke::links::{
        family::{has_common_name, unknown},
        learning::{AccessToken, Learnt},
    },
    token::Secret,
};

/// The limit for the bodies that are read.
const MAX_BODY: usize = 64 * 1024;
/// How long the body of a request may take. The inner service is reserved meanwhile.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The service of a [`LearnLinksLayer`].
#[derive(Clone, Debug)]
#[must_use = "a service does nothing until it is called"]
pub struct LearnLinks<S, I> {
    inner: S,
    layer: LearnLinksLayer<I>,
}

impl<S, I> LearnLinks<S, I> {
    pub(super) fn new(inner: S, layer: LearnLinksLayer<I>) -> Self {
        Self { inner, layer }
    }
}

impl<S, I, B, R> Service<Request<B>> for LearnLinks<S, I>
where
    S: Service<Request<WatchedBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    I: Service<Secret, Response: Into<Introspected>> + Clone + Send + Sync + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Send,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Send,
{
    type Response = Response<WatchedBody<R>>;
    type Error = S::Error;
    type Future = LearnLinksFuture<S::Future, R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if !is_watched(&request, &self.layer.shared.path) {
            return LearnLinksFuture::passing(self.inner.call(request.map(WatchedBody::unread)));
        }
        // The instance that is ready is the one that is called.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        let shared = self.layer.shared.clone();
        LearnLinksFuture::watched(Box::pin(async move { shared.watch(inner, request).await }))
    }
}

impl<I> Shared<I>
where
    I: Service<Secret, Response: Into<Introspected>> + Clone,
    I::Error: Into<BoxError>,
{
    async fn watch<S, B, R>(
        &self,
        mut inner: S,
        request: Request<B>,
    ) -> Result<Response<WatchedBody<R>>, S::Error>
    where
        S: Service<Request<WatchedBody<B>>, Response = Response<R>>,
        B: Body<Data = Bytes>,
        R: Body<Data = Bytes>,
    {
        let (mut head, body) = request.into_parts();
        let read = tokio::time::timeout(BODY_TIMEOUT, WatchedBody::read(body, MAX_BODY));
        let Ok(body) = read.await else {
            return Ok(Refusal::TimedOut.response());
        };
        let read = body.bytes().map(|body| TokenRequest::read(&head, body));
        let presented = match read.unwrap_or(TokenRequest::Unreadable) {
            TokenRequest::Refresh(token) => Some(token),
            TokenRequest::Other => None,
            // The server may read a refresh token in it, and issue tokens that no revocation of it
            // would find.
            TokenRequest::Unreadable => return Ok(Refusal::Unreadable.response()),
        };
        if let Err(refusal) = self.check(presented.as_ref()) {
            return Ok(refusal.response());
        }
        head.headers.remove(ACCEPT_ENCODING);
        let response = inner.call(Request::from_parts(head, body)).await?;
        if !response.status().is_success() {
            return Ok(response.map(WatchedBody::unread));
        }
        let (head, body) = response.into_parts();
        let body = if is_readable(&head.headers) {
            WatchedBody::read(body, MAX_BODY).await
        } else {
            WatchedBody::unread(body)
        };
        let issued = body.bytes().and_then(TokenResponse::read);
        match self.admit(issued, presented.as_ref()).await {
            Ok(()) => Ok(Response::from_parts(head, body)),
            Err(refusal) => Ok(refusal.response()),
        }
    }

    /// Whether the client may use the refresh token, by what is known of it.
    fn check(&self, presented: Option<&Secret>) -> Result<(), Refusal> {
        let (Some(is_revoked), Some(token)) = (&self.is_revoked, presented) else {
            return Ok(());
        };
        let known = self.links.find_any(token);
        let known = known.map_err(|_| Refusal::Unknown)?;
        judge(&**is_revoked, &known.unwrap_or_else(|| unknown(token)))
    }

    /// Whether the client may use the refresh token, by the access token that it gets for it. This
    /// is the first that is known of a refresh token without a link.
    fn check_holder(
        &self,
        presented: Option<&Secret>,
        access: &AccessToken,
    ) -> Result<(), Refusal> {
        let (Some(is_revoked), Some(token)) = (&self.is_revoked, presented) else {
            return Ok(());
        };
        let known = self.links.find_any(token);
        let known = known.map_err(|_| Refusal::Unknown)?;
        match (access, known) {
            (AccessToken::Known(access), known) => {
                let known = known.unwrap_or_else(|| unknown(token));
                let mut holder = access.clone();
                holder.kind = known.kind;
                holder.token = known.token;
                // Without a date, every record about the holder covers it.
                holder.iat = known.iat;
                judge(&**is_revoked, &holder)
            }
            // An order about its subject may cover it.
            (AccessToken::Unknown, None) => Err(Refusal::Unknown),
            // The first check was about the holder of a known one. An access token that is not for
            // this API opens nothing here.
            _ => Ok(()),
        }
    }

    /// Stores the link, and checks the refresh token again. Fails if a revocation of the presented
    /// token would miss what was issued, and if it has revoked it.
    async fn admit(
        &self,
        issued: Option<TokenResponse>,
        presented: Option<&Secret>,
    ) -> Result<(), Refusal> {
        let (access, refresh_token) = match issued {
            Some(issued) => (Some(issued.access_token), issued.refresh_token),
            None if presented.is_some() && self.is_revoked.is_some() => {
                return Err(Refusal::Unknown);
            }
            None => {
                count("unread");
                (None, None)
            }
        };
        if refresh_token.is_none() && presented.is_none() {
            return Ok(());
        }
        let access = self.access_token(access).await;
        // Before it is learnt, so that what is refused does not become known.
        self.check_holder(presented, &access)?;
        // A server may issue the same refresh token again. A login does not wait for a file that cannot
        // be read.
        let reissued = refresh_token
            .as_ref()
            .filter(|token| matches!(self.links.find(token), Ok(Some(_))));
        let learnt = self
            .links
            .learn_response(access.clone(), refresh_token.as_ref(), presented);
        match learnt.await {
            Ok(learnt) => count(match learnt {
                Learnt::Linked => "linked",
                Learnt::Full => "full",
                Learnt::Nothing | Learnt::Uncoverable => "unlinked",
            }),
            Err(_) => self.failed(presented, reissued, &access)?,
        }
        // Again: it may have been revoked since.
        self.check(presented)?;
        self.check_holder(presented, &access)
    }

    async fn access_token(&self, token: Option<Secret>) -> AccessToken {
        let Some(token) = token else {
            return AccessToken::Unknown;
        };
        match self.introspect.clone().oneshot(token).await.map(Into::into) {
            Ok(Introspected::Token(access)) => AccessToken::Known(access),
            Ok(Introspected::Unhandled { exp, .. }) => AccessToken::Unhandled(exp),
            // Enforcement does not accept it either.
            Ok(Introspected::Unrecognised(_)) => AccessToken::NotOurs,
            Err(_) => AccessToken::Unknown,
        }
    }

    /// A link was not stored. Fails if a revocation of a refresh token would miss the access token.
    fn failed(
        &self,
        presented: Option<&Secret>,
        reissued: Option<&Secret>,
        access: &AccessToken,
    ) -> Result<(), Refusal> {
        let mut known = presented.into_iter().chain(reissued);
        if known.any(|token| self.misses(token, access).unwrap_or(true)) {
            return Err(Refusal::Unknown);
        }
        count("failed");
        Ok(())
    }

    /// Whether a revocation of a refresh token would miss an access token that was not linked. It
    /// covers what has the same grant or session, but none that it names one by one.
    fn misses(&self, refresh_token: &Secret, access: &AccessToken) -> Result<bool, LogError> {
        let Some(known) = self.links.find(refresh_token)? else {
            return Ok(false);
        };
        Ok(!has_common_name(&known)
            || access.known().is_some_and(|access| {
                let is_common = match known.grant {
                    Some(_) => access.grant == known.grant,
                    None => access.sid == known.sid,
                };
                !is_common || access.tenant != known.tenant
            }))
    }
}

fn judge(
    is_revoked: &dyn Fn(&Introspection) -> Result<bool, BoxError>,
    token: &Introspection,
) -> Result<(), Refusal> {
    match is_revoked(token) {
        Ok(false) => Ok(()),
        Ok(true) => Err(Refusal::Revoked),
        Err(_) => Err(Refusal::Unknown),
    }
}
