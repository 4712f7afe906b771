//! The body of a response: that of the inner service until the token ends, or ours.

#[cfg(test)]
mod tests;

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap,
    body::{Body, Frame, SizeHint},
    header::{HeaderName, HeaderValue},
};
use pin_project_lite::pin_project;

use super::{
    BodyError, End,
    life::Life,
    protocol::{Protocol, UNAUTHENTICATED, UNAVAILABLE},
    watch::Watch,
};

/// The number of frames after which a body counts as a long one.
const SHORT: u8 = 8;

pin_project! {
    /// The response body of an [`EnforcementService`](super::EnforcementService).
    ///
    /// It passes the frames of the inner service's body through until the token ends. Then it is
    /// cut: it fails with [`BodyError::End`], so that the peer can tell a cut from an end. The body
    /// of a gRPC response ends with trailers of the status `UNAUTHENTICATED` instead, or
    /// `UNAVAILABLE` for [`End::Unknown`].
    ///
    /// After the cut the inner body is dropped, and nothing more is taken from it. A peer that has
    /// stopped reading sees the cut when it continues to read.
    ///
    /// The body of the request is not cut. A handler that reads one for long, such as that of a
    /// streaming gRPC call, waits for the end of the [`TokenLife`](super::TokenLife) as well.
    ///
    /// A body is not watched if it is always ready and ends within eight frames. A waiting body
    /// takes only memory: at most 512 bytes besides the inner body, for a token with every kind of
    /// selector, where there are thousands of them. 100,000 take 51 MB.
    #[derive(Debug)]
    pub struct EnforcedBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProj]
    #[derive(Debug)]
    enum Kind<B> {
        Inner { #[pin] body: B, guard: Guard, protocol: Protocol },
        Ours { body: Full<Bytes> },
        // The body has been cut.
        Cut,
    }
}

/// How the end of the token is noticed.
#[derive(Debug)]
enum Guard {
    /// Not at all: the policy does not cut, or the body has ended.
    None,
    /// The body may be a short one, so each frame checks the index. The number counts the frames.
    Checking(Life, u8),
    Watching(Watch),
}

impl<B> EnforcedBody<B> {
    /// A body that passes as it is.
    pub(super) fn unwatched(body: B) -> Self {
        Self::inner(body, Guard::None, Protocol::Http)
    }

    /// A body that ends with the token.
    pub(super) fn watched(body: B, life: Life, protocol: Protocol) -> Self {
        Self::inner(body, Guard::Checking(life, 0), protocol)
    }

    fn inner(body: B, guard: Guard, protocol: Protocol) -> Self {
        Self {
            kind: Kind::Inner {
                body,
                guard,
                protocol,
            },
        }
    }

    pub(super) fn ours(body: Full<Bytes>) -> Self {
        Self {
            kind: Kind::Ours { body },
        }
    }

    /// Whether it is the body of a response of the inner service, which was called for the request.
    #[cfg(feature = "proxy")]
    pub(crate) fn is_inner(&self) -> bool {
        matches!(self.kind, Kind::Inner { .. })
    }
}

/// An empty body, for any `B`.
impl<B> Default for EnforcedBody<B> {
    fn default() -> Self {
        Self::ours(Full::default())
    }
}

impl<B> Body for EnforcedBody<B>
where
    B: Body<Data = Bytes>,
{
    type Data = Bytes;
    type Error = BodyError<B::Error>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let (polled, protocol) = match self.as_mut().project().kind.project() {
            KindProj::Cut => return Poll::Ready(None),
            KindProj::Ours { body } => {
                return Pin::new(body)
                    .poll_frame(cx)
                    .map_err(|never| match never {});
            }
            KindProj::Inner {
                body,
                guard,
                protocol,
            } => (guard.poll(body, cx), *protocol),
        };
        match ready!(polled) {
            Ok(frame) => Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Inner))),
            Err(end) => {
                // This drops the inner body.
                self.project().kind.set(Kind::Cut);
                Poll::Ready(Some(cut(protocol, end)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body, .. } => body.is_end_stream(),
            Kind::Ours { body } => body.is_end_stream(),
            Kind::Cut => true,
        }
    }

    /// The hint of the inner body. A body that is cut sends less than its hint, which hyper treats
    /// as a failure.
    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body, .. } => body.size_hint(),
            Kind::Ours { body } => body.size_hint(),
            Kind::Cut => SizeHint::with_exact(0),
        }
    }
}

/// What a body returns.
type Polled<B> = Result<Frame<<B as Body>::Data>, <B as Body>::Error>;

impl Guard {
    /// The next frame, or the end of the token if that came first.
    fn poll<B: Body>(
        &mut self,
        body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Polled<B>>, End>> {
        if let Self::Watching(watch) = self {
            if let Some(end) = watch.ended() {
                return Poll::Ready(Err(end));
            }
        }
        match body.poll_frame(cx) {
            Poll::Pending => self.wait(cx).map(Err),
            Poll::Ready(Some(Ok(frame))) if frame.is_data() => {
                // The first frame passes: the token was live when the response came.
                let end = self.count();
                Poll::Ready(end.map_or(Ok(Some(Ok(frame))), Err))
            }
            // Nothing follows trailers, an error or the end.
            Poll::Ready(last) => {
                *self = Self::None;
                Poll::Ready(Ok(last))
            }
        }
    }

    /// Counts a frame and checks the token. A long body is watched from here on.
    fn count(&mut self) -> Option<End> {
        let Self::Checking(life, frames) = self else {
            return None;
        };
        *frames += 1;
        match *frames {
            1 => None,
            SHORT => {
                self.watch();
                self.ended()
            }
            _ => life.check(),
        }
    }

    /// The inner body is pending, so that body or the end of the token wakes the reader.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.watch();
        match self {
            Self::Watching(watch) => watch.poll_ended(cx),
            Self::None | Self::Checking(..) => Poll::Pending,
        }
    }

    fn watch(&mut self) {
        if let Self::Checking(life, _) = self {
            // Drops the life: an idle body holds only the watch.
            *self = Self::Watching(life.watch());
        }
    }

    fn ended(&self) -> Option<End> {
        match self {
            Self::Watching(watch) => watch.ended(),
            Self::None | Self::Checking(..) => None,
        }
    }
}

/// The last frame of a body that is cut.
fn cut<E>(protocol: Protocol, end: End) -> Result<Frame<Bytes>, BodyError<E>> {
    match protocol {
        Protocol::Http => Err(BodyError::End(end)),
        Protocol::Grpc => {
            let (status, message) = match end {
                End::Revoked(_) => (UNAUTHENTICATED, "the token was revoked"),
                End::Expired => (UNAUTHENTICATED, "the token has expired"),
                End::Unknown => (UNAVAILABLE, "the state of the token is unknown"),
            };
            let trailers = [
                ("grpc-status", status),
                ("grpc-message", HeaderValue::from_static(message)),
            ];
            let trailers = trailers.map(|(name, value)| (HeaderName::from_static(name), value));
            Ok(Frame::trailers(HeaderMap::from_iter(trailers)))
        }
    }
}
