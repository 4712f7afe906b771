//! The inner service's body, for as long as the token lives, or ours.

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
    life::TokenLife,
    protocol::{Protocol, UNAUTHENTICATED},
    watch::Watch,
};

/// After so many frames a body is taken for a long one.
const SHORT: u8 = 8;

pin_project! {
    /// The body of a response behind the enforcement layer.
    ///
    /// What the inner service sends passes through frame by frame, until the token is over. Then it
    /// is cut: it ends with [`BodyError::End`], so that the peer can tell a cut from an end. A
    /// gRPC response ends with the trailers of the status `UNAUTHENTICATED` instead.
    ///
    /// From then on nothing is taken from the inner body, which is dropped. A peer that has stopped
    /// to read hears of it when it reads on.
    ///
    /// The body of the request is not cut: who reads one for long, as a gRPC service of streams
    /// does, waits for the end of the [`TokenLife`] as well.
    ///
    /// A body that does not keep its reader waiting, and ends within eight frames, is not watched.
    /// One that waits is memory and nothing else: where there are thousands of them, at most 512
    /// octets each besides the inner body, of a token that can be revoked in every way. A hundred
    /// thousand take 51 MB.
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
        // After the cut.
        Over,
    }
}

/// Who sees to it.
#[derive(Debug)]
enum Guard {
    /// Nobody: the token is not watched, or the body is at its end.
    None,
    /// The body may be a short one. So many frames have come.
    Asking(TokenLife, u8),
    Watching(Watch),
}

impl<B> EnforcedBody<B> {
    /// A body that passes as it is.
    pub(super) fn unwatched(body: B) -> Self {
        Self::inner(body, Guard::None, Protocol::Http)
    }

    /// A body that ends with the token.
    pub(super) fn watched(body: B, life: TokenLife, protocol: Protocol) -> Self {
        Self::inner(body, Guard::Asking(life, 0), protocol)
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
}

/// An empty body, whatever `B` is.
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
            KindProj::Over => return Poll::Ready(None),
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
                // What the inner service holds for this body is let go now.
                self.project().kind.set(Kind::Over);
                Poll::Ready(Some(cut(protocol, end)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body, .. } => body.is_end_stream(),
            Kind::Ours { body } => body.is_end_stream(),
            Kind::Over => true,
        }
    }

    /// The inner body's. If it is cut, it has promised more than it sends, which hyper takes for
    /// the failure that it is.
    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body, .. } => body.size_hint(),
            Kind::Ours { body } => body.size_hint(),
            Kind::Over => SizeHint::with_exact(0),
        }
    }
}

/// What a body gives.
type Polled<B> = Result<Frame<<B as Body>::Data>, <B as Body>::Error>;

impl Guard {
    /// The next frame, or the end of the token if that has come first.
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
                // The first frame belongs to the answer that the token was good for.
                let end = self.count();
                Poll::Ready(end.map_or(Ok(Some(Ok(frame))), Err))
            }
            // Trailers are the end, and there are none after them.
            Poll::Ready(last) => {
                *self = Self::None;
                Poll::Ready(Ok(last))
            }
        }
    }

    /// One more frame: the token is asked about, and is watched if they have become too many.
    fn count(&mut self) -> Option<End> {
        let Self::Asking(life, frames) = self else {
            return None;
        };
        *frames += 1;
        match *frames {
            1 => None,
            SHORT => {
                self.watch();
                self.ended()
            }
            _ => life.ask(),
        }
    }

    /// Nothing comes: now only the end of the token, or the body itself, can wake the reader.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.watch();
        match self {
            Self::Watching(watch) => watch.poll_ended(cx),
            Self::None | Self::Asking(..) => Poll::Pending,
        }
    }

    fn watch(&mut self) {
        if let Self::Asking(life, _) = self {
            // What has to be known to watch it is let go here: an idle body is a watch.
            let watch = life.watch().cloned();
            *self = watch.map_or(Self::None, Self::Watching);
        }
    }

    fn ended(&self) -> Option<End> {
        match self {
            Self::Watching(watch) => watch.ended(),
            Self::None | Self::Asking(..) => None,
        }
    }
}

/// The last thing that the peer gets.
fn cut<E>(protocol: Protocol, end: End) -> Result<Frame<Bytes>, BodyError<E>> {
    match protocol {
        Protocol::Http => Err(BodyError::End(end)),
        Protocol::Grpc => {
            let message = match end {
                End::Revoked(_) => "the token was revoked",
                End::Expired => "the token has expired",
            };
            let trailers = [
                ("grpc-status", UNAUTHENTICATED),
                ("grpc-message", HeaderValue::from_static(message)),
            ];
            let trailers = trailers.map(|(name, value)| (HeaderName::from_static(name), value));
            Ok(Frame::trailers(HeaderMap::from_iter(trailers)))
        }
    }
}
