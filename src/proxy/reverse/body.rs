//! The body of a response, without trailers that a client would take for fields of its head.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::in_flight::Permit;
use crate::proxy::fields::remove_from_response_trailers;

/// The body of a response of the API, as a [`ReverseProxy`](super::ReverseProxy) passes it on.
///
/// Trailers lose the fields about one connection, and those that mean something only in a head, such as
/// `Set-Cookie` (RFC 9110 §6.5.1). All others pass, for example those of gRPC.
#[derive(Debug)]
pub struct ForwardedBody {
    body: Incoming,
    /// The request is at the API until the end.
    _permit: Option<Permit>,
}

impl ForwardedBody {
    pub(super) fn new(body: Incoming, permit: Option<Permit>) -> Self {
        Self {
            body,
            _permit: permit,
        }
    }
}

impl Body for ForwardedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &mut frame {
            if let Some(trailers) = frame.trailers_mut() {
                remove_from_response_trailers(trailers);
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
