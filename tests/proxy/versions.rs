//! Both versions of HTTP, in and out.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::fixture::{Gateway, ask, echo, get, serve};

pub(crate) type HttpClient = Client<HttpConnector, Full<Bytes>>;

pub(crate) fn http1() -> HttpClient {
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) fn http2() -> HttpClient {
    Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http()
}

#[tokio::test]
async fn request_passes_over_both_versions_in_and_out() {
    let api = serve(echo).await;
    for (scheme, received) in [("http", "HTTP/1.1"), ("h2c", "HTTP/2.0")] {
        let gateway = Gateway::to(&format!("{scheme}://{api}/base")).await;
        for (client, via) in [(http1(), "1.1 gateway"), (http2(), "2.0 gateway")] {
            let mut request = get(gateway.url("/things?a=%2F&b"));
            *request.method_mut() = Method::PUT;
            request
                .headers_mut()
                .append("cookie", "a=b".parse().unwrap());
            request
                .headers_mut()
                .append("cookie", "c=d".parse().unwrap());
            let te = "trailers".parse().unwrap();
            request.headers_mut().insert("te", te);
            *request.body_mut() = "some thing".into();
            let response = ask(&client, request).await;
            assert_eq!(response.status(), 200);
            let body = response.body();
            // The first line of an HTTP/2 request has the authority.
            assert!(body.starts_with("PUT "), "{body}");
            let (line, _) = body.split_once('\n').unwrap();
            assert!(line.contains("/base/things?a=%2F&b "), "{body}");
            assert!(line.ends_with(received), "{body}");
            for field in [
                "content-length: 10",
                "cookie: a=b; c=d",
                "x-token-subject: alice",
                "te: trailers",
                &format!("via: {via}"),
            ] {
                assert!(body.lines().any(|line| line == field), "{field}: {body}");
            }
            assert!(body.ends_with("\n10"), "{body}");
        }
    }
}

#[tokio::test]
async fn refused_request_does_not_reach_the_api() {
    let api = serve(echo).await;
    let gateway = Gateway::to(&format!("http://{api}")).await;
    gateway.tokens.revoke("alice").await;
    for client in [http1(), http2()] {
        let response = ask(&client, get(gateway.url("/"))).await;
        assert_eq!(response.status(), 401);
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        let request = Request::get(gateway.url("/")).body(Full::default());
        let response = ask(&client, request.unwrap()).await;
        assert_eq!(response.status(), 401);
        assert!(response.body().is_empty());
    }
}

#[tokio::test]
async fn large_heads_are_refused_over_both_versions() {
    let api = serve(echo).await;
    let gateway = Gateway::to(&format!("http://{api}")).await;
    for client in [http1(), http2()] {
        let mut many = get(gateway.url("/"));
        for number in 0..100 {
            let name: hyper::header::HeaderName = format!("a{number}").parse().unwrap();
            many.headers_mut().append(name, "1".parse().unwrap());
        }
        assert_eq!(ask(&client, many).await.status(), 431);
        let mut large = get(gateway.url("/"));
        let value = "a".repeat(16 * 1024 - 100);
        large.headers_mut().insert("a", value.parse().unwrap());
        large.headers_mut().insert("b", value.parse().unwrap());
        assert_eq!(ask(&client, large).await.status(), 431);
        assert_eq!(ask(&client, get(gateway.url("/"))).await.status(), 200);
    }
}
