//! The body of a request, without trailers that an API would believe.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::Rules;
use crate::proxy::fields::remove_from_trailers;

pin_project! {
    /// The body of a request that has passed a [`SanitizeLayer`](super::SanitizeLayer).
    ///
    /// Trailers lose the same fields as the head, and those that mean something only in a head, such as
    /// `Authorization` (RFC 9110 §6.5.1). Everything else passes unchanged.
    pub struct SanitizedBody<B> {
        #[pin]
        body: B,
        rules: Arc<Rules>,
    }
}

impl<B> SanitizedBody<B> {
    pub(super) fn new(body: B, rules: Arc<Rules>) -> Self {
        Self { body, rules }
    }

    /// Returns the body, whose trailers are no longer cleaned.
    pub fn into_inner(self) -> B {
        self.body
    }
}

impl<B: Body> Body for SanitizedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let mut frame = ready!(this.body.poll_frame(cx));
        if let Some(Ok(frame)) = &mut frame {
            if let Some(trailers) = frame.trailers_mut() {
                this.rules.clean(trailers);
                remove_from_trailers(trailers);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: fmt::Debug> fmt::Debug for SanitizedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SanitizedBody").field(&self.body).finish()
    }
}
