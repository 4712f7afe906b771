//! The call of the chosen introspection, and whether its result is about its own issuer.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower::{BoxError, Service, util::Oneshot};

use crate::{
    ask::Ask,
    introspect::{Introspected, Reason},
    token::Secret,
};

pin_project! {
    /// The future of [`ByIssuer`](super::ByIssuer).
    #[must_use = "futures do nothing unless polled"]
    pub struct ByIssuerFuture<S, F> {
        #[pin]
        state: State<S, F>,
    }
}

type Call<S, F> = Ask<S, Secret, F, Introspected>;

pin_project! {
    #[project = StateProj]
    enum State<S, F> {
        Done { introspected: Option<Introspected> },
        Introspecting {
            #[pin]
            future: Oneshot<Call<S, F>, Secret>,
            issuer: Arc<str>,
        },
    }
}

impl<S, F> ByIssuerFuture<S, F> {
    pub(super) fn done(introspected: Introspected) -> Self {
        let introspected = Some(introspected);
        Self {
            state: State::Done { introspected },
        }
    }

    pub(super) fn introspecting(service: S, token: Secret, issuer: Arc<str>) -> Self
    where
        S: Service<Secret, Future = F>,
        S::Response: Into<Introspected>,
        S::Error: Into<BoxError>,
        F: Future<Output = Result<S::Response, S::Error>>,
    {
        let future = Oneshot::new(Ask::new(service), token);
        Self {
            state: State::Introspecting { future, issuer },
        }
    }
}

impl<S, F> Future for ByIssuerFuture<S, F> {
    type Output = Result<Introspected, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Done { introspected } => {
                Poll::Ready(Ok(introspected.take().expect("polled after completion")))
            }
            StateProj::Introspecting { future, issuer } => {
                let introspected = ready!(future.poll(cx))?;
                Poll::Ready(Ok(of(issuer, introspected)))
            }
        }
    }
}

/// Limits the result of an introspection to the tokens of its issuer, which is its tenant.
fn of(issuer: &str, introspected: Introspected) -> Introspected {
    let Introspected::Token(mut token) = introspected else {
        return introspected;
    };
    if token.iss.as_deref().is_some_and(|iss| iss != issuer) {
        return Introspected::unhandled(Reason::Issuer, token.exp);
    }
    // A change copies the claims.
    if token.iss.is_none() || token.tenant.is_none() {
        token.iss.get_or_insert_with(|| issuer.to_owned());
        token.tenant.get_or_insert_with(|| issuer.to_owned());
    }
    Introspected::Token(token)
}

impl<S, F> fmt::Debug for ByIssuerFuture<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByIssuerFuture").finish_non_exhaustive()
    }
}
