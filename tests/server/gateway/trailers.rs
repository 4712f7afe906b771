//! Trailers pass in both directions.

use std::{convert::Infallible, net::SocketAddr};

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{
    HeaderMap, Method, Request, Response,
    body::{Frame, Incoming},
    header::HeaderName,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;

use super::{C1, World};

type Frames = StreamBody<stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;

fn frames(text: &'static str, trailers: &[(&'static str, String)]) -> Frames {
    let mut fields = HeaderMap::new();
    for (name, value) in trailers {
        fields.insert(*name, value.parse().unwrap());
    }
    let frames = vec![Ok(Frame::data(text.into())), Ok(Frame::trailers(fields))];
    StreamBody::new(stream::iter(frames))
}

/// An API whose trailers name the trailers of the request.
async fn checking() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let served =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(check));
            tokio::spawn(served);
        }
    });
    address
}

async fn check(request: Request<Incoming>) -> Result<Response<Frames>, hyper::Error> {
    let body = request.into_body().collect().await?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    let names: Vec<_> = trailers.keys().map(HeaderName::as_str).collect();
    let body = frames("response", &[("x-came", names.join(" "))]);
    Ok(Response::builder()
        .header("trailer", "x-came")
        .body(body)
        .unwrap())
}

#[tokio::test]
async fn trailers_pass_except_those_that_an_api_would_believe() {
    let world = World::new().await;
    let api = checking().await;
    let (_gateway, http) = world.gateway_to(&format!("http://{api}"));
    let token = world.http.own_token(C1).await;
    for (http2, connection) in [(false, None), (false, Some("TE")), (true, None)] {
        let client = Client::builder(TokioExecutor::new())
            .http2_only(http2)
            .build_http();
        let sent = [
            ("x-checksum", "1".to_owned()),
            ("x-forwarded-for", "203.0.113.7".to_owned()),
            ("client-cert", ":AAAA:".to_owned()),
        ];
        let mut request = http
            .with_token("/things", &token)
            .map(|_| frames("question", &sent));
        *request.method_mut() = Method::POST;
        let headers = request.headers_mut();
        headers.insert("te", "trailers".parse().unwrap());
        let named = "x-checksum, x-forwarded-for, client-cert";
        headers.insert("trailer", named.parse().unwrap());
        if let Some(connection) = connection {
            headers.insert("connection", connection.parse().unwrap());
        }
        let response = client.request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let body = response.into_body().collect().await.unwrap();
        let trailers = body.trailers().expect("trailers").clone();
        assert_eq!(trailers["x-came"], "x-checksum");
        assert_eq!(body.to_bytes(), "response");
    }
}
