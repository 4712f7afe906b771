//! Reads the body of a request.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use http_body_util::{LengthLimitError, Limited};
use hyper::body::Body;
use pin_project_lite::pin_project;
use tower::BoxError;

use crate::error::{Error, ErrorKind};

pin_project! {
    /// Reads a whole body of limited length.
    ///
    /// Most bodies are one frame of `Bytes`, which is neither copied nor put into a list.
    pub(crate) struct Read<B> {
        // `None` if all of it is there.
        #[pin]
        body: Option<Limited<B>>,
        first: Bytes,
        // All frames, if there is more than one.
        joined: Vec<u8>,
    }
}

impl<B> Read<B> {
    pub(crate) fn new(body: B, limit: usize) -> Self {
        Self {
            body: Some(Limited::new(body, limit)),
            first: Bytes::new(),
            joined: Vec::new(),
        }
    }

    /// A body that is there.
    pub(crate) fn whole(body: Bytes) -> Self {
        Self {
            body: None,
            first: body,
            joined: Vec::new(),
        }
    }
}

impl<B> Future for Read<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output = Result<Bytes, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        while let Some(body) = this.body.as_mut().as_pin_mut() {
            let Some(frame) = ready!(body.poll_frame(cx)) else {
                break;
            };
            let Ok(mut data) = frame.map_err(failed)?.into_data() else {
                continue;
            };
            let data = data.copy_to_bytes(data.remaining());
            if this.first.is_empty() {
                *this.first = data;
                continue;
            }
            if this.joined.is_empty() {
                this.joined.extend_from_slice(this.first);
            }
            this.joined.extend_from_slice(&data);
        }
        let joined = std::mem::take(this.joined);
        let first = std::mem::take(this.first);
        Poll::Ready(Ok(if joined.is_empty() {
            first
        } else {
            joined.into()
        }))
    }
}

/// Converts an error of the body, which is too long or was cut off.
fn failed(cause: BoxError) -> Error {
    let kind = if cause.is::<LengthLimitError>() {
        ErrorKind::BodyTooLarge
    } else {
        ErrorKind::InvalidRequest
    };
    Error::new(kind).caused_by(cause)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::{executor::block_on, stream};
    use http_body_util::{Full, StreamBody};
    use hyper::{HeaderMap, body::Frame};

    use super::*;

    fn read(frames: &[&'static str], limit: usize) -> Result<Bytes, Error> {
        let data = |text: &&'static str| Frame::data(Bytes::from_static(text.as_bytes()));
        let frames: Vec<_> = frames.iter().map(data).collect();
        let trailers = std::iter::once(Frame::trailers(HeaderMap::new()));
        let frames = frames.into_iter().chain(trailers).map(Ok::<_, Infallible>);
        block_on(Read::new(StreamBody::new(stream::iter(frames)), limit))
    }

    #[test]
    fn frames_are_joined_in_their_order() {
        for (frames, whole) in [
            (&[][..], ""),
            (&[""], ""),
            (&["token=1"], "token=1"),
            (&["", "token=1", ""], "token=1"),
            (&["token", "=", "", "1"], "token=1"),
        ] {
            assert_eq!(read(frames, 7).unwrap(), whole, "{frames:?}");
        }
    }

    #[test]
    fn single_frame_is_not_copied() {
        let body = Bytes::from("token=1".to_owned());
        let read = block_on(Read::new(Full::new(body.clone()), 7)).unwrap();
        assert_eq!(read.as_ptr(), body.as_ptr());
    }

    #[test]
    fn all_frames_count_for_the_limit() {
        for frames in [&["token=1"][..], &["token", "=1"]] {
            let error = read(frames, 6).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BodyTooLarge, "{frames:?}");
        }
    }
}
