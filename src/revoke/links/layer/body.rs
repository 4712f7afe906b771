//! A body whose beginning was read.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::{
    HeaderMap,
    body::{Body, Frame, SizeHint},
};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a request or a response that passes a [`LearnLinks`](super::LearnLinks).
    ///
    /// Its bytes, trailers and errors are those of the body that it is made from.
    pub struct WatchedBody<B: Body> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind<B: Body> {
        /// Nothing of it was read.
        Unread { #[pin] body: B },
        Read { read: Read<B> },
    }
}

/// What was read, and what follows.
struct Read<B: Body> {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
    error: Option<B::Error>,
    rest: Option<Pin<Box<B>>>,
}

impl<B: Body> WatchedBody<B> {
    pub(super) fn unread(body: B) -> Self {
        Self {
            kind: Kind::Unread { body },
        }
    }

    /// A body of our own.
    pub(super) fn whole(data: Bytes) -> Self {
        let read = Read {
            data: Some(data),
            trailers: None,
            error: None,
            rest: None,
        };
        Self {
            kind: Kind::Read { read },
        }
    }
}

impl<B: Body<Data = Bytes>> WatchedBody<B> {
    /// Reads the body, and stops after `limit` bytes. What was read is kept.
    pub(super) async fn read(body: B, limit: usize) -> Self {
        let mut rest = Box::pin(body);
        let mut data = BytesMut::new();
        let (mut trailers, mut error) = (None, None);
        let is_longer = loop {
            match rest.frame().await {
                None => break false,
                Some(Err(cause)) => {
                    error = Some(cause);
                    break false;
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => data.extend_from_slice(&bytes),
                    Err(frame) => trailers = frame.into_trailers().ok(),
                },
            }
            if data.len() > limit {
                break true;
            }
        };
        let read = Read {
            data: (!data.is_empty()).then(|| data.freeze()),
            trailers,
            error,
            rest: is_longer.then_some(rest),
        };
        Self {
            kind: Kind::Read { read },
        }
    }

    /// The whole body, if all of it was read.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Read { read } if read.rest.is_none() && read.error.is_none() => {
                Some(read.data.as_deref().unwrap_or_default())
            }
            _ => None,
        }
    }
}

impl<B: Body<Data = Bytes>> Body for WatchedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let read = match self.project().kind.project() {
            KindProj::Unread { body } => return body.poll_frame(cx),
            KindProj::Read { read } => read,
        };
        if let Some(data) = read.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if let Some(trailers) = read.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        if let Some(error) = read.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match &mut read.rest {
            Some(rest) => rest.as_mut().poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Unread { body } => body.is_end_stream(),
            Kind::Read { read } => {
                let is_read = read.data.is_none() && read.trailers.is_none();
                let rest = read.rest.as_ref();
                is_read && read.error.is_none() && rest.is_none_or(Body::is_end_stream)
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let read = match &self.kind {
            Kind::Unread { body } => return body.size_hint(),
            Kind::Read { read } => read,
        };
        let data = read.data.as_ref().map_or(0, |data| data.len() as u64);
        let Some(rest) = &read.rest else {
            return match read.error {
                // The end of the body is unknown.
                Some(_) => SizeHint::default(),
                None => SizeHint::with_exact(data),
            };
        };
        let mut hint = rest.size_hint();
        let upper = hint.upper().map(|upper| upper.saturating_add(data));
        hint.set_lower(hint.lower().saturating_add(data));
        if let Some(upper) = upper {
            hint.set_upper(upper);
        }
        hint
    }
}

impl<B: Body> fmt::Debug for WatchedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedBody").finish_non_exhaustive()
    }
}
