//! The body of a response.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::log::LogError;

pin_project! {
    /// The body of a response of [`AdminService`](super::AdminService).
    ///
    /// The default is an empty body. Layers that create responses require it.
    #[derive(Default)]
    pub struct AdminBody {
        #[pin]
        whole: Full<Bytes>,
    }
}

impl AdminBody {
    pub(super) fn whole(bytes: Vec<u8>) -> Self {
        let whole = Full::from(bytes);
        Self { whole }
    }
}

impl Body for AdminBody {
    type Data = Bytes;
    /// A part could not be read. The response is then incomplete.
    type Error = LogError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, LogError>>> {
        let frame = self.project().whole.poll_frame(cx);
        frame.map_err(|never| match never {})
    }

    fn is_end_stream(&self) -> bool {
        self.whole.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.whole.size_hint()
    }
}

/// Without the content, which may name people.
impl fmt::Debug for AdminBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminBody").finish_non_exhaustive()
    }
}
