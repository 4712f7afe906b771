//! The life of a token, for handlers that outlast their request.

#[cfg(test)]
pub(super) mod tests;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;

use super::{
    End,
    response::{Refusals, Refusing},
    verdict::Refused,
    watch::Watch,
};
use crate::introspect::Introspection;

/// The records, and the watches that wait for new ones.
pub(super) trait Records: Send + Sync {
    /// Why the token has ended, if it has.
    fn end_of(&self, token: &Introspection) -> Option<End>;

    /// Waits for a record that covers the token, and for its `exp`.
    fn watch(&self, token: &Introspection) -> Watch;
}

/// A token, and the records that end it.
#[derive(Clone)]
pub(super) struct Life {
    records: Arc<dyn Records>,
    token: Introspection,
    ignores_forgotten: bool,
}

impl Life {
    pub(super) fn new(records: Arc<dyn Records>, token: Introspection) -> Self {
        Self {
            records,
            token,
            ignores_forgotten: false,
        }
    }

    /// Whether it ignores that a record of the token may have been forgotten, because an authority
    /// has confirmed the token since.
    pub(super) fn ignore_forgotten(self, ignores_forgotten: bool) -> Self {
        Self {
            ignores_forgotten,
            ..self
        }
    }

    /// Checks the index, without starting a watch.
    pub(super) fn check(&self) -> Option<End> {
        let end = self.records.end_of(&self.token);
        end.filter(|end| !self.ignores_forgotten || *end != End::Unknown)
    }

    /// Starts to watch the token.
    pub(super) fn watch(&self) -> Watch {
        let watch = self.records.watch(&self.token);
        // A record may have come before the watch was there.
        if let Some(end) = self.check() {
            watch.end(end);
        }
        watch
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Life").field(&self.check()).finish()
    }
}

/// The life of a request's token: whether the token has ended, and a wait for its end.
///
/// [`EnforcementLayer`](super::EnforcementLayer) puts it into the request's extensions, unless
/// [`Policy::cut_streams`](super::Policy::cut_streams) is off. Use it in a handler whose work
/// outlasts the request, or which holds something that no layer can cut: a spawned task, or a stream
/// of an HTTP/2 `CONNECT`.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::enforce::TokenLife;
///
/// /// Counts the seconds until the token ends.
/// async fn count(life: TokenLife) -> u32 {
///     let mut seconds = 0;
///     loop {
///         tokio::select! {
///             _end = life.end() => return seconds,
///             () = tokio::time::sleep(Duration::from_secs(1)) => seconds += 1,
///         }
/// #       if seconds == 0 { unreachable!() }
/// #       return seconds;
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() { tokio::time::pause(); assert_eq!(count(TokenLife::unwatched()).await, 1); }
/// ```
///
/// It costs only its memory until the first call of [`ended`](Self::ended) or [`end`](Self::end).
/// From then on the token is watched, which takes less than 512 bytes, and each further check is
/// one read of memory. Clones share one life.
#[derive(Clone)]
pub struct TokenLife(Option<Watched>);

/// Not in an `Arc`: most handlers never use it.
struct Watched {
    life: Life,
    /// How the layer refuses the request.
    refusing: Option<Refusing>,
    /// Allocated for the first clone or for the watch.
    watch: OnceLock<Arc<OnceLock<Watch>>>,
}

impl Watched {
    fn watch(&self) -> &Watch {
        let watch = self.watch.get_or_init(Arc::default);
        watch.get_or_init(|| self.life.watch())
    }

    fn check(&self) -> Option<End> {
        match self.watch.get().and_then(|watch| watch.get()) {
            Some(watch) => watch.ended(),
            None => self.life.check(),
        }
    }
}

/// The clone has the same watch, even if that starts later.
impl Clone for Watched {
    fn clone(&self) -> Self {
        let watch = self.watch.get_or_init(Arc::default);
        Self {
            life: self.life.clone(),
            refusing: self.refusing.clone(),
            watch: watch.clone().into(),
        }
    }
}

impl TokenLife {
    pub(super) fn new(life: Life) -> Self {
        Self(Some(Watched {
            life,
            refusing: None,
            watch: OnceLock::new(),
        }))
    }

    /// Remembers how the layer refuses the request.
    pub(super) fn refused_by(mut self, refusing: Refusing) -> Self {
        if let Some(watched) = &mut self.0 {
            watched.refusing = Some(refusing);
        }
        self
    }

    /// Returns a life that never ends, for handlers that run without the layer.
    #[must_use]
    pub const fn unwatched() -> Self {
        Self(None)
    }

    /// Why the token has ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<End> {
        self.watch()?.ended()
    }

    /// Waits until the token is revoked or expires.
    pub fn end(&self) -> TokenEnd {
        TokenEnd(self.watch().cloned())
    }

    /// Returns the response that the layer gives to this request for a token that has ended like this.
    ///
    /// Use it if the token ends before the handler has responded, for example during an upload. It has the
    /// status, the challenge or the gRPC status of a refusal, and a [`Refused`] in its extensions. **Over
    /// HTTP/1.1, add `Connection: close` if the body of the request was not read to its end.**
    ///
    /// ```
    /// use tower_revocation::enforce::{End, TokenLife};
    ///
    /// let response = TokenLife::unwatched().refusal(End::Expired);
    /// assert_eq!(response.status(), 401);
    /// let challenge = response.headers()["www-authenticate"].to_str()?;
    /// assert!(challenge.starts_with("Bearer realm=\"api\", error=\"invalid_token\""));
    /// # Ok::<_, hyper::header::ToStrError>(())
    /// ```
    #[must_use]
    pub fn refusal(&self, end: End) -> Response<Full<Bytes>> {
        let refused = Refused::from(end);
        let refusing = self.0.as_ref().and_then(|it| it.refusing.as_ref());
        match refusing {
            Some(refusing) => refusing.response(refused),
            None => Refusals::new().by_default(refused),
        }
    }

    /// Checks the token, without a watch.
    #[cfg(feature = "proxy")]
    pub(crate) fn check(&self) -> Option<End> {
        self.0.as_ref().and_then(Watched::check)
    }

    /// Starts to watch the token, unless it is watched already.
    fn watch(&self) -> Option<&Watch> {
        self.0.as_ref().map(Watched::watch)
    }
}

impl fmt::Debug for TokenLife {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Does not start a watch.
        let ended = self.0.as_ref().and_then(Watched::check);
        f.debug_tuple("TokenLife").field(&ended).finish()
    }
}

/// The future of [`TokenLife::end`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct TokenEnd(Option<Watch>);

impl Future for TokenEnd {
    type Output = End;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        match &mut self.0 {
            Some(watch) => watch.poll_ended(cx),
            None => Poll::Pending,
        }
    }
}
