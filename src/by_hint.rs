//! Several key spaces behind one service, the hinted one first.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower::{BoxError, Service, util::Oneshot};

use crate::{
    ask::Ask,
    endpoint::Backend,
    token::{Outcome, RevocationRequest, TokenTypeHint},
};

/// Several backends behind one: the hinted key space is asked first, then every other, each at most
/// once.
///
/// A hint only orders the search (RFC 7009 §2.1). [`Outcome::Revoked`] ends it; otherwise the
/// strongest answer wins: `IssuedToAnother`, then an error, then `Unsupported`, then `NotFound`. So
/// an error of one key space never hides a hit in another, and never passes for "not found". Which
/// space was asked first never shows.
///
/// Each backend is cloned for a request and waited for until it is ready, and only if it is asked.
///
/// ```
/// use tower::{BoxError, ServiceExt, service_fn};
/// use tower_revocation::{ByHint, Outcome, RevocationRequest, Secret, TokenTypeHint};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let access = service_fn(async |_: RevocationRequest<String>| Ok::<_, BoxError>(Outcome::NotFound));
/// let refresh = service_fn(async |_: RevocationRequest<String>| Ok::<_, BoxError>(Outcome::Revoked));
/// let persisted = service_fn(async |_: RevocationRequest<String>| Err::<Outcome, _>(BoxError::from("down")));
///
/// let backend = ByHint::new(access, refresh).with("pct", persisted);
/// let request = RevocationRequest::new("s6BhdRkqt3".to_owned(), Secret::new("45ghiukldjahdnhzdauz"))
///     .hint(TokenTypeHint::AccessToken);
/// assert_eq!(backend.oneshot(request).await?, Outcome::Revoked);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ByHint<Rest, S> {
    rest: Rest,
    name: TokenTypeHint,
    service: S,
}

impl<A, R> ByHint<A, R> {
    /// The two key spaces that RFC 7009 names: `access_token` and `refresh_token`.
    pub fn new(access: A, refresh: R) -> Self {
        Self {
            rest: access,
            name: TokenTypeHint::RefreshToken,
            service: refresh,
        }
    }

    /// One key space more, under a name of the registry or a URN.
    pub fn with<S>(self, name: &str, service: S) -> ByHint<Self, S> {
        ByHint {
            rest: self,
            name: name.into(),
            service,
        }
    }
}

impl<C, Rest, S> Service<RevocationRequest<C>> for ByHint<Rest, S>
where
    C: Clone,
    Rest: Service<RevocationRequest<C>, Response = Outcome> + Clone,
    Rest::Error: Into<BoxError>,
    S: Service<RevocationRequest<C>, Response = Outcome> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Outcome;
    type Error = BoxError;
    type Future = ByHintFuture<C, Rest, S, Rest::Future, S::Future>;

    /// Always ready: who will be asked is known only when the request is.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RevocationRequest<C>) -> Self::Future {
        let rest = Ask::new(self.rest.clone());
        let service = Ask::new(self.service.clone());
        let (state, then) = if request.hint.as_ref() == Some(&self.name) {
            (
                State::named(service, request.clone()),
                Then::Rest(rest, request),
            )
        } else {
            (
                State::rest(rest, request.clone()),
                Then::Named(service, request),
            )
        };
        ByHintFuture {
            state,
            then: Some(then),
            of_rest: None,
            of_named: None,
        }
    }
}

type Answer = Result<Outcome, BoxError>;

pin_project! {
    /// The search of [`ByHint`].
    #[must_use = "futures do nothing unless polled"]
    pub struct ByHintFuture<C, Rest, S, FRest, F> {
        #[pin]
        state: State<C, Rest, S, FRest, F>,
        then: Option<Then<C, Rest, S, FRest, F>>,
        of_rest: Option<Answer>,
        of_named: Option<Answer>,
    }
}

/// Who has not been asked yet.
enum Then<C, Rest, S, FRest, F> {
    Rest(Backend<Rest, C, FRest>, RevocationRequest<C>),
    Named(Backend<S, C, F>, RevocationRequest<C>),
}

pin_project! {
    #[project = StateProj]
    enum State<C, Rest, S, FRest, F> {
        // The key spaces that were there before.
        Rest { #[pin] asked: Oneshot<Backend<Rest, C, FRest>, RevocationRequest<C>> },
        // The one that this level adds.
        Named { #[pin] asked: Oneshot<Backend<S, C, F>, RevocationRequest<C>> },
    }
}

impl<C, Rest, S, FRest, F> State<C, Rest, S, FRest, F> {
    fn rest(rest: Backend<Rest, C, FRest>, request: RevocationRequest<C>) -> Self {
        let asked = Oneshot::new(rest, request);
        Self::Rest { asked }
    }

    fn named(service: Backend<S, C, F>, request: RevocationRequest<C>) -> Self {
        let asked = Oneshot::new(service, request);
        Self::Named { asked }
    }
}

impl<C, Rest, S, FRest, F> Future for ByHintFuture<C, Rest, S, FRest, F> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let answer = match this.state.as_mut().project() {
                StateProj::Rest { asked } => this.of_rest.insert(ready!(asked.poll(cx))),
                StateProj::Named { asked } => this.of_named.insert(ready!(asked.poll(cx))),
            };
            if matches!(answer, Ok(Outcome::Revoked)) {
                return Poll::Ready(Ok(Outcome::Revoked));
            }
            match this.then.take() {
                Some(Then::Rest(rest, request)) => this.state.set(State::rest(rest, request)),
                Some(Then::Named(service, request)) => {
                    this.state.set(State::named(service, request));
                }
                None => return Poll::Ready(stronger(this.of_rest.take(), this.of_named.take())),
            }
        }
    }
}

/// The answer that says more. Of two that say as much, always the one of the key space that was
/// registered first, so that the order of asking does not show.
fn stronger(rest: Option<Answer>, named: Option<Answer>) -> Answer {
    let strength = |answer: &Answer| match answer {
        Ok(Outcome::Revoked) => 4,
        Ok(Outcome::IssuedToAnother) => 3,
        Err(_) => 2,
        Ok(Outcome::Unsupported) => 1,
        Ok(Outcome::NotFound) => 0,
    };
    match (rest, named) {
        (Some(rest), Some(named)) if strength(&named) > strength(&rest) => named,
        (Some(answer), _) | (None, Some(answer)) => answer,
        (None, None) => Ok(Outcome::NotFound),
    }
}

impl<C, Rest, S, FRest, F> fmt::Debug for ByHintFuture<C, Rest, S, FRest, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByHintFuture").finish_non_exhaustive()
    }
}
