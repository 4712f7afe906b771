//! The body of a response.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::stream::BoxStream;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::log::LogError;

pin_project! {
    /// The body of a response of [`AdminService`](super::AdminService).
    ///
    /// The default is an empty body. Layers that create responses require it.
    pub struct AdminBody {
        #[pin]
        kind: Kind,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind {
        Whole { #[pin] bytes: Full<Bytes> },
        Parts { parts: BoxStream<'static, Result<Bytes, LogError>> },
    }
}

impl AdminBody {
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = Full::new(bytes.into());
        Self {
            kind: Kind::Whole { bytes },
        }
    }

    /// Each part is made when the one before was taken.
    pub(super) fn parts(parts: BoxStream<'static, Result<Bytes, LogError>>) -> Self {
        Self {
            kind: Kind::Parts { parts },
        }
    }
}

impl Default for AdminBody {
    fn default() -> Self {
        Self::whole(Vec::new())
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
        match self.project().kind.project() {
            KindProj::Whole { bytes } => bytes.poll_frame(cx).map_err(|never| match never {}),
            KindProj::Parts { parts } => {
                let part = parts.as_mut().poll_next(cx);
                part.map(|part| part.map(|part| part.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole { bytes } => bytes.is_end_stream(),
            Kind::Parts { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole { bytes } => bytes.size_hint(),
            Kind::Parts { .. } => SizeHint::default(),
        }
    }
}

/// Without the content, which may name people.
impl fmt::Debug for AdminBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminBody").finish_non_exhaustive()
    }
}
