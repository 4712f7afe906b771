//! How long a token lives, for whoever works on its behalf.

#[cfg(test)]
pub(super) mod tests;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use super::{End, watch::Watch};
use crate::introspect::Introspection;

/// What knows the records, and who is told of them.
pub(super) trait Records: Send + Sync {
    /// Why the token is over, if it is.
    fn end_of(&self, token: &Introspection) -> Option<End>;

    /// Waits for a record that covers the token, and for its time to be over.
    fn watch(&self, token: &Introspection) -> Watch;
}

/// The life of the token that a request came with: whether it is over, and a wait for its end.
///
/// [`EnforcementLayer`](super::EnforcementLayer) puts it into the request's extensions, where
/// [`Policy::cut_streams`](super::Policy::cut_streams) has it. It is for handlers whose work
/// outlasts the request, or who hold what no layer can take away: a task of their own, a stream of
/// an HTTP/2 `CONNECT`. Clones are the same life.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::enforce::TokenLife;
///
/// /// Counts for as long as the token lives.
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
/// Until somebody asks, it costs nothing but its memory; from then on the token is watched, and
/// asking again is one read of memory.
#[derive(Clone)]
pub struct TokenLife(Option<Arc<Life>>);

struct Life {
    records: Arc<dyn Records>,
    token: Introspection,
    watch: OnceLock<Watch>,
}

impl TokenLife {
    pub(super) fn new(records: Arc<dyn Records>, token: Introspection) -> Self {
        Self(Some(Arc::new(Life {
            records,
            token,
            watch: OnceLock::new(),
        })))
    }

    /// A life without end: what a handler that is called without the layer can be given.
    #[must_use]
    pub const fn unwatched() -> Self {
        Self(None)
    }

    /// Why the token is over, if it is.
    #[must_use]
    pub fn ended(&self) -> Option<End> {
        self.watch()?.ended()
    }

    /// Waits until the token is over: revoked, or expired.
    pub fn end(&self) -> TokenEnd {
        TokenEnd(self.watch().cloned())
    }

    /// Asks the index, without becoming one of those who are told.
    pub(super) fn ask(&self) -> Option<End> {
        let life = self.0.as_deref()?;
        match life.watch.get() {
            Some(watch) => watch.ended(),
            None => life.records.end_of(&life.token),
        }
    }

    /// From here on this token is among those who are told.
    pub(super) fn watch(&self) -> Option<&Watch> {
        let life = self.0.as_deref()?;
        Some(life.watch.get_or_init(|| {
            let watch = life.records.watch(&life.token);
            // The record may have come in between.
            if let Some(end) = life.records.end_of(&life.token) {
                watch.end(end);
            }
            watch
        }))
    }
}

impl fmt::Debug for TokenLife {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenLife").field(&self.ask()).finish()
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
