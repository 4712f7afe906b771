//! Combines several backends into one, ordered by `token_type_hint`.

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

/// Combines several backends into one. It calls the hinted backend first, then the others, each at
/// most once.
///
/// A hint only orders the search (RFC 7009 §2.1). [`Outcome::Revoked`] ends it. Otherwise the
/// strongest result wins: `IssuedToAnother`, then an error, then `Unsupported`, then `NotFound`. An
/// error of one backend therefore never hides a hit in another, and never becomes "not found". The
/// result does not depend on the order of the calls.
///
/// A request clones a backend and waits until it is ready, only if it calls this backend.
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
    /// Combines backends for the two types of RFC 7009, `access_token` and `refresh_token`.
    pub fn new(access: A, refresh: R) -> Self {
        Self {
            rest: access,
            name: TokenTypeHint::RefreshToken,
            service: refresh,
        }
    }

    /// Adds a backend for another type: a name from the registry or a URN.
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

    /// Always ready: the request decides which backend is called.
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

type SearchResult = Result<Outcome, BoxError>;

pin_project! {
    /// The response future of [`ByHint`].
    #[must_use = "futures do nothing unless polled"]
    pub struct ByHintFuture<C, Rest, S, FRest, F> {
        #[pin]
        state: State<C, Rest, S, FRest, F>,
        then: Option<Then<C, Rest, S, FRest, F>>,
        of_rest: Option<SearchResult>,
        of_named: Option<SearchResult>,
    }
}

/// The backend that has not been called yet.
enum Then<C, Rest, S, FRest, F> {
    Rest(Backend<Rest, C, FRest>, RevocationRequest<C>),
    Named(Backend<S, C, F>, RevocationRequest<C>),
}

pin_project! {
    #[project = StateProj]
    enum State<C, Rest, S, FRest, F> {
        // The backends of the inner levels.
        Rest { #[pin] search: Oneshot<Backend<Rest, C, FRest>, RevocationRequest<C>> },
        // The backend of this level.
        Named { #[pin] search: Oneshot<Backend<S, C, F>, RevocationRequest<C>> },
    }
}

impl<C, Rest, S, FRest, F> State<C, Rest, S, FRest, F> {
    fn rest(rest: Backend<Rest, C, FRest>, request: RevocationRequest<C>) -> Self {
        let search = Oneshot::new(rest, request);
        Self::Rest { search }
    }

    fn named(service: Backend<S, C, F>, request: RevocationRequest<C>) -> Self {
        let search = Oneshot::new(service, request);
        Self::Named { search }
    }
}

impl<C, Rest, S, FRest, F> Future for ByHintFuture<C, Rest, S, FRest, F> {
    type Output = SearchResult;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let result = match this.state.as_mut().project() {
                StateProj::Rest { search } => this.of_rest.insert(ready!(search.poll(cx))),
                StateProj::Named { search } => this.of_named.insert(ready!(search.poll(cx))),
            };
            if matches!(result, Ok(Outcome::Revoked)) {
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

/// Returns the stronger result. Of two equal results, returns the one of the backend that was added
/// first, so that the order of the calls does not matter.
fn stronger(rest: Option<SearchResult>, named: Option<SearchResult>) -> SearchResult {
    let strength = |result: &SearchResult| match result {
        Ok(Outcome::Revoked) => 4,
        Ok(Outcome::IssuedToAnother) => 3,
        Err(_) => 2,
        Ok(Outcome::Unsupported) => 1,
        Ok(Outcome::NotFound) => 0,
    };
    match (rest, named) {
        (Some(rest), Some(named)) if strength(&named) > strength(&rest) => named,
        (Some(result), _) | (None, Some(result)) => result,
        (None, None) => Ok(Outcome::NotFound),
    }
}

impl<C, Rest, S, FRest, F> fmt::Debug for ByHintFuture<C, Rest, S, FRest, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByHintFuture").finish_non_exhaustive()
    }
}
