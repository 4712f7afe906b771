//! The body of a response of a feed.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response of [`FeedService`](super::FeedService).
    ///
    /// The default is an empty body. Layers that create responses require it.
    #[derive(Default)]
    pub struct FeedBody {
        #[pin]
        whole: Full<Bytes>,
    }
}

impl FeedBody {
    pub(super) fn new(bytes: Bytes) -> Self {
        let whole = Full::new(bytes);
        Self { whole }
    }
}

impl Body for FeedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.project().whole.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.whole.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.whole.size_hint()
    }
}

/// Without the records, which are confidential.
impl fmt::Debug for FeedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedBody").finish_non_exhaustive()
    }
}
