//! What passes between the caller and the inner service.

use std::{
    cell::Cell,
    convert::Infallible,
    future::{Ready, ready},
    marker::PhantomData,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Body, Frame},
};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};
use tower_revocation::RevocationLayer;

use super::{Broken, PATH, known, revoked, with_body};

/// Neither `Clone` nor `Send`, and with a borrow.
struct Borrowing<'a> {
    calls: &'a Cell<u32>,
    not_send: PhantomData<Rc<()>>,
}

impl<'a> Service<Request<BorrowedBody<'a>>> for Borrowing<'a> {
    type Response = Response<Full<Bytes>>;
    type Error = &'a str;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<BorrowedBody<'a>>) -> Self::Future {
        self.calls.set(self.calls.get() + 1);
        ready(match request.into_body().0 {
            "" => Ok(Response::default()),
            text => Err(text),
        })
    }
}

struct BorrowedBody<'a>(&'a str, PhantomData<Rc<()>>);

impl Body for BorrowedBody<'_> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let rest = std::mem::take(&mut self.0);
        Poll::Ready(
            (!rest.is_empty()).then(|| Ok(Frame::data(Bytes::copy_from_slice(rest.as_bytes())))),
        )
    }
}

#[tokio::test]
async fn inner_service_may_borrow_and_needs_neither_clone_nor_send() {
    let (calls, text) = (Cell::new(0), String::from("inner error"));
    let inner = Borrowing {
        calls: &calls,
        not_send: PhantomData,
    };
    let mut service =
        RevocationLayer::new(PATH, service_fn(known), service_fn(revoked)).layer(inner);
    let body = |text| BorrowedBody(text, PhantomData);

    let response = service.call(Request::new(body(""))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let error = service.call(Request::new(body(&text))).await.unwrap_err();
    assert!(std::ptr::eq(error, text.as_str()));
    let form = String::from("token=45ghiukldjahdnhzdauz&client_id=spa-1");
    let response = service.call(with_body(body(&form))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(calls.get(), 2);
}

#[tokio::test]
async fn bodies_trailers_errors_and_extensions_pass_unchanged() {
    #[derive(Clone, Debug, PartialEq)]
    struct Mark(u8);

    // Sends the body back frame by frame, so the test sees both directions.
    let inner = service_fn(async |request: Request<_>| {
        let (head, body) = request.into_parts();
        if head.uri.path() == "/broken" {
            Err(Broken(1))
        } else {
            let mut response = Response::new(body);
            response
                .extensions_mut()
                .insert(head.extensions.get::<Mark>().cloned());
            *response.headers_mut() = head.headers;
            Ok(response)
        }
    });
    let mut service =
        RevocationLayer::new(PATH, service_fn(known), service_fn(revoked)).layer(inner);

    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    let frames = [
        Ok(Frame::data(Bytes::from("a"))),
        Ok(Frame::data(Bytes::from("b"))),
        Ok(Frame::trailers(trailers.clone())),
        Err(Broken(2)),
    ];
    let request = Request::get("/elsewhere")
        .header("authorization", "Bearer inner")
        .extension(Mark(7))
        .body(StreamBody::new(futures::stream::iter(Vec::from(frames))))
        .unwrap();

    let response = service.call(request).await.unwrap();
    assert_eq!(response.headers()["authorization"], "Bearer inner");
    assert_eq!(
        response.extensions().get::<Option<Mark>>(),
        Some(&Some(Mark(7)))
    );
    let mut body = response.into_body();
    assert!(!body.is_end_stream());
    for text in ["a", "b"] {
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), text);
    }
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_trailers().unwrap(), trailers);
    assert_eq!(body.frame().await.unwrap().unwrap_err(), Broken(2));
    assert!(body.frame().await.is_none());

    let request = Request::get("/broken")
        .body(StreamBody::new(futures::stream::iter(Vec::new())))
        .unwrap();
    assert_eq!(service.call(request).await.unwrap_err(), Broken(1));
}

#[tokio::test]
async fn body_length_passes() {
    let inner = service_fn(async |request: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let service = RevocationLayer::new(PATH, service_fn(known), service_fn(revoked)).layer(inner);
    for (text, ends) in [("", true), ("7 bytes", false)] {
        let response = service.clone().oneshot(Request::new(Full::from(text)));
        let body = response.await.unwrap().into_body();
        assert_eq!(body.is_end_stream(), ends);
        assert_eq!(body.size_hint().exact(), Some(text.len() as u64));
    }
}
